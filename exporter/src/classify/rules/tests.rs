use super::*;

const AGAINST: &str = r#"[{"client": "Test", "version": "1", "on": "2026-11-20"}]"#;

fn file(version: &str, against: &str, rules: &str, examples: &str) -> String {
    format!(
        "{{\"version\": \"{version}\",\n \"last_verified_against\": {against},\n \"rules\": {rules},\n \"examples\": {examples}}}"
    )
}

/// What is said of a file of notes like this one.
fn said(version: &str, against: &str, rules: &str, examples: &str) -> String {
    let texts = [("notes.json".to_owned(), file(version, against, rules, examples))].into();
    Rules::with(&texts).unwrap_err().to_string()
}

#[test]
fn the_embedded_rules_keep_their_own_examples() {
    let rules = Rules::embedded();
    let names: Vec<_> = rules.files().iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, Rules::NAMES);
    assert!(rules.files().iter().all(|file| !file.replaced && !file.verified.is_empty()));
}

#[test]
fn a_file_of_the_users_own_takes_the_place_of_one() {
    let own = file("1.2.3", AGAINST, r#"{"tea": "error"}"#, r#"[{"reason": "tea", "is": "error"}]"#);
    let rules = Rules::with(&[("notes.json".to_owned(), own)].into()).unwrap();
    let replaced: Vec<_> = rules.files().iter().filter(|file| file.replaced).collect();
    assert_eq!((replaced.len(), replaced[0].version.to_string().as_str()), (1, "1.2.3"));
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_place() {
    let fine = r#"{"tea": "error"}"#;
    let mut wrong = Vec::new();
    for (error, expected) in [
        (said("1.0", AGAINST, fine, "[]"), "notes.json:1:17: near \"version\": \"1.0\" is no version"),
        (
            said("1.0.0", "[]", fine, "[]"),
            "notes.json:2:2: near \"last_verified_against\": names no client; say which one",
        ),
        (
            said("1.0.0", &AGAINST.replace("11-20", "13-20"), fine, "[]"),
            "notes.json:2:81: near \"on\": \"2026-13-20\" is no day such as",
        ),
        (
            said("1.0.0", AGAINST, r#"{"tea": "coffee"}"#, "[]"),
            "notes.json:3:26: near \"tea\": unknown variant `coffee`, expected one of `fallback`, `error`",
        ),
        (
            said("1.0.0", AGAINST, r#"{"tea": "error", "tea": "fallback"}"#, "[]"),
            "notes.json:3:32: near \"tea\": \"tea\" stands here twice; delete one",
        ),
        (
            said("1.0.0", AGAINST, fine, r#"[{"reason": "tea", "is": "fallback"}]"#),
            "notes.json:4:15: near \"examples\": the example expects Fallback, but the rules give Error",
        ),
    ] {
        if !error.starts_with(expected) {
            wrong.push(format!("{error}\nshould begin\n{expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn rules_that_contradict_themselves_are_refused() {
    let said = |name: &str, rules: &str| {
        let texts = [(name.to_owned(), file("1.0.0", AGAINST, rules, "[]"))].into();
        Rules::with(&texts).unwrap_err().to_string()
    };
    let words = r#"{"words": {"anthropic": {"tea": "server"}, "openai": {"tea": "timeout"}, "gemini": {}}, "statuses": {}}"#;
    assert!(
        said("errors.json", words).contains("\"tea\" means two things"),
        "{}",
        said("errors.json", words)
    );
    let formats = r#"{"formats": {"anthropic": [{"prefix": "", "separator": "_"}], "openai": [], "gemini": []},
        "looks_like": [], "exceptions": []}"#;
    assert!(said("mcp.json", formats).contains("empty prefix"), "{}", said("mcp.json", formats));
    let client = r#"{"default": 2, "models": {}, "suffixes": {}, "sizes": [2, 1]}"#;
    let windows = format!(r#"{{"anthropic": {client}, "openai": {client}, "gemini": {client}}}"#);
    assert!(said("windows.json", &windows).contains("not in order"), "{}", said("windows.json", &windows));
}
