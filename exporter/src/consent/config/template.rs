//! `${VAR}` in a value.

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// Text that stands for itself.
    Text(&'t str),
    /// A variable's name.
    Variable(&'t str),
}

/// A `$` that begins no variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenTemplate;

/// The parts of `template`; a single one of text if there is no `${` in it. `$$` is a dollar sign.
pub fn parts(template: &str) -> Result<Vec<Part<'_>>, BrokenTemplate> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(dollar) = rest.find('$') {
        let (text, from) = rest.split_at(dollar);
        push_text(&mut parts, text);
        if let Some(after) = from.strip_prefix("${") {
            let (name, after) =
                after.split_once('}').filter(|(name, _)| is_name(name)).ok_or(BrokenTemplate)?;
            parts.push(Part::Variable(name));
            rest = after;
        } else if let Some(after) = from.strip_prefix("$$") {
            parts.push(Part::Text("$"));
            rest = after;
        } else {
            parts.push(Part::Text("$"));
            rest = &from[1..];
        }
    }
    push_text(&mut parts, rest);
    Ok(parts)
}

/// The variables in `template`, if it is sound.
pub fn variables(template: &str) -> impl Iterator<Item = &str> {
    parts(template).unwrap_or_default().into_iter().filter_map(|part| match part {
        Part::Variable(name) => Some(name),
        Part::Text(_) => None,
    })
}

/// Whether a variable can have this name.
pub fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether it is a credential of the agent's for its provider, or one for everything: never given to a destination.
pub fn is_provider_key(name: &str) -> bool {
    const PREFIXES: [&str; 9] = [
        "ANTHROPIC_",
        "OPENAI_",
        "CODEX_",
        "CHATGPT_",
        "GEMINI_",
        "GOOGLE_",
        "CLAUDE_",
        "AWS_",
        "AZURE_OPENAI_",
    ];
    let name = name.to_ascii_uppercase();
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn push_text<'t>(parts: &mut Vec<Part<'t>>, text: &'t str) {
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_text_and_variables() {
        assert_eq!(parts("Bearer ${TOKEN}"), Ok(vec![Part::Text("Bearer "), Part::Variable("TOKEN")]));
        assert_eq!(parts("${A}${_B2}"), Ok(vec![Part::Variable("A"), Part::Variable("_B2")]));
        assert_eq!(parts("plain"), Ok(vec![Part::Text("plain")]));
        assert_eq!(parts(""), Ok(vec![]));
        assert_eq!(parts("5$ and $${A"), Ok(["5", "$", " and ", "$", "{A"].map(Part::Text).to_vec()));
    }

    #[test]
    fn a_variable_without_an_end_or_a_name_is_refused() {
        for broken in ["${", "${A", "${}", "${A-B}", "${A:-x}", "${1A}", "${A ${B}"] {
            assert_eq!(parts(broken), Err(BrokenTemplate), "{broken}");
        }
    }

    #[test]
    fn credentials_for_the_provider_are_known_by_their_names() {
        for name in [
            "ANTHROPIC_API_KEY",
            "OPENAI_API_KEY",
            "GEMINI_API_KEY",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "CLAUDE_CODE_OAUTH_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "anthropic_auth_token",
        ] {
            assert!(is_provider_key(name), "{name}");
        }
        for name in ["OTEL_TOKEN", "GRAFANA_TOKEN", "MY_OPENAI"] {
            assert!(!is_provider_key(name), "{name}");
        }
    }
}
