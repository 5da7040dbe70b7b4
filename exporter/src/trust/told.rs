//! What the commands say.

use crate::{
    consent::{
        config::{FileKind, Settings, template},
        place::{Dir, Writers},
        trust::{ContentHash, Trusted},
    },
    trust::Found,
};

/// What is trusted from now on.
pub(super) fn now_trusted(found: &Found) -> String {
    let dir = found.dir.display();
    match &found.file {
        None => format!(
            "trusted {dir}: it has no .ccxray.json; your own file covers it, if that names an endpoint\n"
        ),
        Some((_, settings)) => {
            let first =
                format!("trusted {dir}/.ccxray.json as it is now; whoever changes it, loses your trust\n");
            first + &content(settings).concat()
        }
    }
}

/// What a project's file says, a line each.
fn content(settings: &Settings) -> Vec<String> {
    let tier = settings.tier.map_or("not stated".to_owned(), |tier| tier.to_string());
    let mut lines = vec![format!("  tier      {tier}\n")];
    lines.extend(settings.endpoint.iter().map(|endpoint| format!("  endpoint  {}\n", endpoint.text)));
    for (name, value) in &settings.headers {
        let variables: Vec<&str> = template::variables(&value.text).collect();
        let from =
            if variables.is_empty() { String::new() } else { format!(" from {}", variables.join(", ")) };
        lines.push(format!("  header    {name}{from}\n"));
    }
    lines.extend(settings.attributes.iter().map(|(key, value)| format!("  {key}={}\n", value.text)));
    lines
}

/// Whether what is trusted is still there.
pub fn state(trusted: &Trusted) -> String {
    let since = trusted.since;
    let name = FileKind::Project.file_name();
    let read = match Dir::open(&trusted.dir) {
        Ok(dir) => dir.read(name, Writers::Group),
        Err(_) => return "is gone".to_owned(),
    };
    match (read, &trusted.content) {
        (Ok(Some(text)), Some(content)) if *content == ContentHash::of(&text) => format!("since {since}"),
        (Ok(None), None) => format!("since {since}, without a file"),
        (Ok(Some(_)), _) => format!("{name} has changed since {since}: tier 0 until you trust it again"),
        (Ok(None), Some(_)) => format!("{name} is gone: tier 0 until you trust it again"),
        (Err(why), _) => format!("{name} is not read: {why}"),
    }
}
