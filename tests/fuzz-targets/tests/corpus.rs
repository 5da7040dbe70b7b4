//! Each target over its corpus: seeds, and everything that a fuzzer has ever found.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use ccxray_fuzz_targets::{TARGETS, Target};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn target(name: &str) -> Target {
    TARGETS.iter().find(|(known, _)| *known == name).expect("a target of this name").1
}

/// Runs a target over its corpus, each input also cut short in a few places.
fn run(name: &str) {
    let target = target(name);
    let files = files_in(&fuzz().join("corpus").join(name));
    assert!(files.len() >= 3, "{name} has too few seeds");
    target(b"");
    for file in files {
        feed(target, &file, b"");
        let input = read(&file);
        for eighth in 1..8 {
            target(&input[..input.len() * eighth / 8]);
        }
    }
}

/// Runs a target over `first` and a file's content; a panic is said to be this file's.
fn feed(target: Target, file: &Path, first: &[u8]) {
    let input = [first, &read(file)].concat();
    let outcome = std::panic::catch_unwind(|| target(&input));
    assert!(outcome.is_ok(), "{} breaks a promise", file.display());
}

fn read(file: &Path) -> Vec<u8> {
    fs::read(file).expect("a file that can be read")
}

fn files_in(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a directory's entry").path()).collect();
    files.sort();
    files
}

fn stems_in(dir: &Path) -> BTreeSet<String> {
    files_in(dir).iter().filter_map(|file| file.file_stem()?.to_str().map(str::to_owned)).collect()
}

/// One test per target, so that each failure has a name.
macro_rules! corpora {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        const RUN: &[&str] = &[$(stringify!($name)),*];
    };
}

corpora! {
    sse objects websocket content_encoding
    anthropic_answer responses_answer chat_answer gemini_answer
    anthropic_request responses_request chat_request gemini_request
    shell script line prices retry_after reply checkpoint
}

#[test]
fn every_target_has_a_program_a_corpus_and_a_test() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems_in(&fuzz().join("fuzz_targets")), targets);
    assert_eq!(stems_in(&fuzz().join("corpus")), targets);
    assert_eq!(RUN.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), targets);
    let manifest = read(&fuzz().join("Cargo.toml"));
    let manifest = String::from_utf8_lossy(&manifest);
    assert!(targets.iter().all(|name| manifest.contains(&format!("name = \"{name}\""))));
}

/// The parsers of a directory of the proxy's fixtures.
const FIXTURES: [(&str, &[&str]); 3] =
    [("anthropic", &["anthropic"]), ("openai", &["responses", "chat"]), ("gemini", &["gemini"])];

/// What an answer's target is told in front of the answer: a stream, an object, an error.
fn heads(file: &str) -> &'static [&'static [u8]] {
    match file.rsplit_once(".answer.") {
        Some((_, "sse")) => &[b"0", b"3"],
        Some((_, "json")) => &[b"1", b"2"],
        _ => &[],
    }
}

#[test]
fn the_proxys_fixtures_are_read_the_same_however_they_are_cut() {
    let mut fed = 0;
    for (directory, apis) in FIXTURES {
        for file in
            files_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proxy/fixtures").join(directory))
        {
            let name = file.to_string_lossy();
            for api in apis {
                for head in heads(&name) {
                    feed(target(&format!("{api}_answer")), &file, head);
                    fed += 1;
                }
                if name.ends_with(".request.json") {
                    feed(target(&format!("{api}_request")), &file, b"");
                    fed += 1;
                }
            }
        }
    }
    assert!(fed > 100, "only {fed}");
}
