//! Prints what the real agents' tests have left in `target/tmp/metrics`, metric by metric and client by client: the
//! provider's truth and what the database counted, both summed over all series and all plays, as a table in Markdown.
#![expect(clippy::print_stdout, reason = "this program prints a table")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use ccxray_tests::truth::COVERED;

/// Truth and found, and whether they agree in every series.
#[derive(Clone, Copy)]
struct Both {
    truth: i128,
    found: i128,
    agree: bool,
}

impl Default for Both {
    fn default() -> Self {
        Self { truth: 0, found: 0, agree: true }
    }
}

fn main() -> io::Result<()> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp/metrics");
    let mut sums: BTreeMap<(String, String), Both> = BTreeMap::new();
    let mut plays: BTreeSet<String> = BTreeSet::new();
    for file in fs::read_dir(dir)? {
        let path = file?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let client = name.split('.').next().unwrap_or_default().to_owned();
        for line in fs::read_to_string(&path)?.lines() {
            take_in(&mut sums, &client, line);
        }
        plays.insert(name);
    }
    print(&sums);
    println!("\nPlays: {}.", plays.into_iter().collect::<Vec<_>>().join(", "));
    Ok(())
}

/// A line has a series, the truth and what was found.
fn take_in(sums: &mut BTreeMap<(String, String), Both>, client: &str, line: &str) {
    let mut fields = line.split('\t');
    let series = fields.next().unwrap_or_default();
    let mut number = || fields.next().and_then(|field| field.parse::<i128>().ok()).unwrap_or_default();
    let metric = series.split('{').next().unwrap_or_default().to_owned();
    let sum = sums.entry((metric, client.to_owned())).or_default();
    let (truth, found) = (number(), number());
    sum.truth += truth;
    sum.found += found;
    sum.agree &= truth == found;
}

fn print(sums: &BTreeMap<(String, String), Both>) {
    let clients: BTreeSet<&str> = sums.keys().map(|(_, client)| client.as_str()).collect();
    let clients: Vec<_> = clients.into_iter().collect();
    println!("| metric | {} |", clients.join(" | "));
    println!("| --- {}|", "| --- ".repeat(clients.len()));
    for metric in COVERED {
        let cell = |client: &&str| {
            let Both { truth, found, agree } =
                sums.get(&((*metric).to_owned(), (*client).to_owned())).copied().unwrap_or_default();
            if agree { format!("{truth} = {found}") } else { format!("**{truth} ≠ {found}**") }
        };
        println!("| `{metric}` | {} |", clients.iter().map(cell).collect::<Vec<_>>().join(" | "));
    }
}
