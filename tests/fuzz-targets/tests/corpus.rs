//! Each target over its corpus: seeds, and everything that a fuzzer has ever found.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use ccxray_fuzz_targets::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// Runs a target over its corpus, each input also cut short in a few places.
fn run(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let files = files_in(&fuzz().join("corpus").join(name));
    assert!(files.len() >= 3, "{name} has too few seeds");
    target(b"");
    for file in files {
        let input = fs::read(&file).unwrap();
        println!("{}", file.display());
        target(&input);
        for eighth in 1..8 {
            target(&input[..input.len() * eighth / 8]);
        }
    }
}

fn files_in(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn stems_in(dir: &Path) -> BTreeSet<String> {
    files_in(dir).iter().map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
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
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    assert!(targets.iter().all(|name| manifest.contains(&format!("name = \"{name}\""))));
}
