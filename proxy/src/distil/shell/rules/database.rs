//! Databases that lose their tables.

use crate::distil::shell::call::Call;

/// Clients that take SQL as an argument or as their input.
const CLIENTS: [&str; 17] = [
    "psql",
    "mysql",
    "mariadb",
    "sqlite3",
    "sqlite",
    "duckdb",
    "sqlcmd",
    "sqlplus",
    "clickhouse-client",
    "clickhouse",
    "cockroach",
    "snowsql",
    "pgcli",
    "mycli",
    "litecli",
    "usql",
    "bq",
];

/// `DROP TABLE`, `DROP DATABASE`, `DROP SCHEMA` or `TRUNCATE` as a database's client gets to see it; `dropdb`.
pub(super) fn drops_a_table(call: &Call<'_>) -> bool {
    match call.name {
        "dropdb" => call.args.iter().any(|word| !word.text.starts_with('-')),
        "mysqladmin" => call.has_arg("drop"),
        client if CLIENTS.contains(&client) => {
            call.args.iter().any(|word| is_destructive(statement(&word.text)))
                || call.input().iter().any(|input| is_destructive(input))
        }
        _ => false,
    }
}

/// An argument without the option that it may hang on: `--command=DROP …`, `-eDROP …`.
fn statement(argument: &str) -> &str {
    match argument.strip_prefix("--") {
        Some(long) => long.split_once('=').map_or("", |(_, value)| value),
        None if argument.starts_with('-') => argument.get(2..).unwrap_or_default(),
        None => argument,
    }
}

/// Whether SQL drops or empties a table, looking past its comments and quotations.
fn is_destructive(sql: &str) -> bool {
    let tokens: Vec<_> = Tokens(sql).collect();
    let is = |at: usize, words: &[&str]| {
        tokens.get(at).is_some_and(|token| words.iter().any(|word| token.eq_ignore_ascii_case(word)))
    };
    (0..tokens.len()).any(|at| {
        let begins = at == 0 || is(at - 1, &[";"]);
        let drops = is(at, &["drop"]) && is(at + 1, &["table", "database", "schema"]);
        // Elsewhere it is a function that rounds a number.
        drops || (begins && is(at, &["truncate"]) && !is(at + 1, &["("]))
    })
}

/// The words and signs of SQL. Comments and quotations are none.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let rest = self.0.trim_start();
            let first = rest.chars().next()?;
            let (token, left) = match first {
                '\'' | '"' => ("", skip_past(&rest[1..], if first == '"' { "\"" } else { "'" })),
                '-' if rest.starts_with("--") => ("", skip_past(rest, "\n")),
                '/' if rest.starts_with("/*") => ("", skip_past(&rest[2..], "*/")),
                _ => rest.split_at(word_length(rest, first)),
            };
            self.0 = left;
            if !token.is_empty() {
                return Some(token);
            }
        }
    }
}

fn word_length(rest: &str, first: char) -> usize {
    let is_part = |c: char| c == '_' || c.is_alphanumeric();
    if is_part(first) { rest.find(|c| !is_part(c)).unwrap_or(rest.len()) } else { first.len_utf8() }
}

fn skip_past<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, left)| left)
}
