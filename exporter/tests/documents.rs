//! The examples in `docs/` are ones that the program takes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use ccxray_exporter::{
    consent::config::{FileKind, Settings},
    init::ETHICS_PAGE,
};

const CONSENT: &str = include_str!("../../docs/consent.md");
const ETHICS: [&str; 2] = [include_str!("../../docs/ethics.md"), include_str!("../../docs/ethics.zh-TW.md")];

/// The blocks of `page` whose language is `json` and this word.
fn blocks<'p>(page: &'p str, word: &str) -> Vec<&'p str> {
    let fence = format!("```json {word}\n");
    page.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn every_example_is_a_good_file() {
    for (word, kind) in [("project", FileKind::Project), ("personal", FileKind::Personal)] {
        let blocks = blocks(CONSENT, word);
        assert!(!blocks.is_empty(), "{word}");
        for block in blocks {
            assert!(Settings::parse(block, kind).is_ok(), "{:?}", Settings::parse(block, kind));
        }
    }
    assert_eq!(CONSENT.matches("```json").count(), 2, "no block is left out");
}

#[test]
fn every_key_is_explained() {
    for kind in [FileKind::Project, FileKind::Personal] {
        let schema: serde_json::Value = serde_json::from_str(kind.schema_text()).unwrap();
        let fields = schema["properties"]["otel"]["properties"].as_object().unwrap();
        for name in fields.keys() {
            assert!(CONSENT.contains(&format!("| `{name}` |")), "{name}");
        }
    }
}

#[test]
fn the_ethics_page_is_in_both_languages_and_linked() {
    assert!(ETHICS_PAGE.ends_with("/docs/ethics.md"));
    assert!(include_str!("../../README.md").contains("docs/ethics.md"));
    assert!(CONSENT.contains("(ethics.md)"));
    let [english, chinese] = ETHICS;
    assert!(english.contains("ethics.zh-TW.md") && chinese.contains("ethics.md"));
    for page in ETHICS {
        assert_eq!(page.matches("\n## ").count(), 3);
        assert_eq!(page.matches("\n| ").count(), 5, "the table of tiers");
        assert!(page.contains("enduser.id") && page.contains("tier 0"));
    }
}
