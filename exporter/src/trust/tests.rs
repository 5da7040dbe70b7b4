use std::fs;

use super::*;

struct World {
    _dir: tempfile::TempDir,
    top: PathBuf,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("app/src")).unwrap();
        fs::create_dir_all(top.join("app/.git")).unwrap();
        Self { _dir: dir, top }
    }

    fn file(&self, path: &str, text: &str) {
        fs::write(self.top.join(path), text).unwrap();
    }

    fn trust(&self, dir: &str) -> Result<String, TrustCommandError> {
        let options = TrustOptions {
            dir: Some(self.top.join(dir)),
            list: false,
            state_dir: Some(self.top.join("state")),
        };
        trust_dir(&options)
    }

    fn untrust(&self, dir: &str) -> Result<String, TrustCommandError> {
        untrust_dir(&UntrustOptions {
            dir: Some(self.top.join(dir)),
            state_dir: Some(self.top.join("state")),
        })
    }

    fn list(&self) -> Vec<Trusted> {
        TrustStore::new(&self.top.join("state/exporter")).load().unwrap().iter().cloned().collect()
    }
}

const PROJECT: &str = r#"{"otel":{"tier":1,"endpoint":"https://otel.example","headers":{"authorization":"Bearer ${TOKEN}"},"resource_attributes":{"team":"a"}}}"#;

#[test]
fn a_project_is_trusted_where_its_file_lies_and_what_it_says_is_told() {
    let world = World::new();
    world.file("app/.ccxray.json", PROJECT);
    let told = world.trust("app/src").unwrap();
    let expected = format!(
        "trusted {}/app/.ccxray.json as it is now; whoever changes it, loses your trust\n  tier      1 (anonymous)\n  \
         endpoint  https://otel.example\n  header    authorization from TOKEN\n  team=a\n",
        world.top.display()
    );
    assert_eq!(told, expected);
    let list = world.list();
    assert_eq!((&list[0].dir, &list[0].content), (&world.top.join("app"), &Some(ContentHash::of(PROJECT))));
    assert!(state(&list[0]).starts_with("since "));
    world.file("app/.ccxray.json", "{}");
    assert!(state(&list[0]).contains("has changed"));
    fs::remove_file(world.top.join("app/.ccxray.json")).unwrap();
    assert!(state(&list[0]).contains("is gone"));
}

#[test]
fn a_project_without_a_file_is_trusted_as_the_directory_given() {
    let world = World::new();
    world.file(".ccxray.json", PROJECT);
    assert!(
        world.trust("app/src").unwrap().contains("has no .ccxray.json"),
        "the repository's root is the end"
    );
    assert_eq!((&world.list()[0].dir, &world.list()[0].content), (&world.top.join("app/src"), &None));
}

#[test]
fn what_would_have_no_effect_is_not_trusted() {
    let world = World::new();
    world.file("app/.ccxray.json", r#"{"otel":{"tier":1,"endpoint":"https://x.example/${TOKEN}"}}"#);
    assert!(matches!(world.trust("app"), Err(TrustCommandError::Problems(_))));
    fs::remove_file(world.top.join("app/.ccxray.json")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", world.top.join("app/.ccxray.json")).unwrap();
    assert!(matches!(world.trust("app"), Err(TrustCommandError::Refused { .. })));
    assert!(matches!(world.trust("nowhere"), Err(TrustCommandError::Open { .. })));
    assert!(world.list().is_empty());
}

#[test]
fn trust_is_taken_back_also_if_the_directory_is_gone() {
    let world = World::new();
    world.file("app/.ccxray.json", PROJECT);
    world.trust("app").unwrap();
    fs::remove_dir_all(world.top.join("app")).unwrap();
    world.untrust("app/src").unwrap();
    assert!(world.list().is_empty());
    assert!(matches!(world.untrust("app"), Err(TrustCommandError::NotTrusted(_))));
}
