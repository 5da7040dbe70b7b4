use std::{os::unix::fs::PermissionsExt, process::Command};

use super::*;

struct World {
    _dir: tempfile::TempDir,
    top: PathBuf,
}

const NOW: UnixMillis = UnixMillis(1_790_000_000_000);

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        for dir in ["home", "app/src"] {
            fs::create_dir_all(top.join(dir)).unwrap();
        }
        let world = Self { _dir: dir, top };
        world.git(&["init", "--quiet"]);
        world
    }

    fn git(&self, arguments: &[&str]) {
        let git = Command::new("git").arg("-C").arg(self.top.join("app")).args(arguments).output().unwrap();
        assert!(git.status.success(), "{git:?}");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.top.join(path)).unwrap()
    }

    fn dir(&self) -> PathBuf {
        self.top.join("app/src")
    }

    /// Without a terminal.
    fn init(&self, options: &InitOptions) -> Result<String, InitError> {
        self.answer(options, None)
    }

    fn answer(&self, options: &InitOptions, answers: Option<&str>) -> Result<String, InitError> {
        let home = Home { home: Some(self.top.join("home")), config: None };
        let mut asker = Asker::new(answers.is_some(), answers.unwrap_or_default().as_bytes());
        init(options, &home, &mut asker, NOW)
    }
}

#[test]
fn a_projects_file_is_written_at_its_root_for_everybody() {
    let world = World::new();
    let options = InitOptions {
        dir: Some(world.dir()),
        tier: Some(1),
        endpoint: Some("https://otel.example".into()),
        project_name: Some("app".into()),
        ..InitOptions::default()
    };
    let told = world.init(&options).unwrap();
    assert!(told.contains("ccxray-exporter trust") && told.contains("docs/ethics.md"), "{told}");
    let expected = "{\n  \"otel\": {\n    \"tier\": 1,\n    \"endpoint\": \"https://otel.example\",\n    \
                    \"resource_attributes\": {\n      \"project.name\": \"app\"\n    }\n  }\n}\n";
    assert_eq!(world.read("app/.ccxray.json"), expected);
    world.init(&InitOptions { dir: Some(world.dir()), tier: Some(0), ..InitOptions::default() }).unwrap();
    assert_eq!(world.read("app/.ccxray.json"), expected.replace("\"tier\": 1", "\"tier\": 0"));
}

#[test]
fn what_is_not_given_is_asked_for() {
    let world = World::new();
    let told = world.answer(
        &InitOptions { dir: Some(world.dir()), ..InitOptions::default() },
        Some("\nhttp://127.0.0.1:4318\n\n"),
    );
    told.unwrap();
    let file = world.read("app/.ccxray.json");
    assert!(
        file.contains("\"tier\": 1")
            && file.contains("127.0.0.1")
            && file.contains("\"project.name\": \"app\""),
        "{file}"
    );
    let silent = World::new();
    assert!(matches!(
        silent.init(&InitOptions { dir: Some(silent.dir()), ..InitOptions::default() }),
        Err(InitError::Say("--tier"))
    ));
    assert!(!silent.top.join("app/.ccxray.json").exists());
}

#[test]
fn the_first_tier_2_is_acknowledged_once_and_by_the_person() {
    let world = World::new();
    let options =
        InitOptions { personal: true, tier: Some(2), identity: Some("me".into()), ..InitOptions::default() };
    assert!(matches!(world.init(&options), Err(InitError::Say(_))));
    assert!(matches!(world.answer(&options, Some("\nn\n")), Err(InitError::Declined)));
    assert!(!world.top.join("home/.ccxray.user.json").exists());
    world.answer(&options, Some("\ny\n")).unwrap();
    let file = world.read("home/.ccxray.user.json");
    assert!(file.contains("\"opt_in_acknowledged_at\": \"2026-09-21T14:13:20.000Z\""), "{file}");
    let mode = fs::metadata(world.top.join("home/.ccxray.user.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    world.init(&options).unwrap();
    assert_eq!(world.read("home/.ccxray.user.json"), file, "it is not asked again");
}

#[test]
fn a_personal_file_in_a_project_is_kept_out_of_git() {
    let world = World::new();
    let options =
        InitOptions { personal: true, dir: Some(world.dir()), tier: Some(0), ..InitOptions::default() };
    fs::write(world.top.join("app/.gitignore"), "target").unwrap();
    assert!(world.init(&options).unwrap().contains("git does not ignore it"));
    assert_eq!(world.read("app/.gitignore"), "target");
    let told = world.init(&InitOptions { yes: true, ..options.clone() }).unwrap();
    assert!(told.contains("added `.ccxray.user.json`"), "{told}");
    assert_eq!(world.read("app/.gitignore"), "target\n.ccxray.user.json\n");
    assert!(!world.init(&options).unwrap().contains("gitignore"), "once it is ignored nothing is said");
    world.git(&["add", "--force", ".ccxray.user.json"]);
    assert!(matches!(world.init(&options), Err(InitError::Tracked { .. })));
}

#[test]
fn a_file_with_mistakes_is_neither_amended_nor_made() {
    let world = World::new();
    let bad = InitOptions {
        dir: Some(world.dir()),
        tier: Some(1),
        endpoint: Some("nowhere".into()),
        ..InitOptions::default()
    };
    assert!(matches!(world.init(&bad), Err(InitError::Problems(_))));
    assert!(!world.top.join("app/.ccxray.json").exists());
    fs::write(world.top.join("app/.ccxray.json"), "{\"otel\": {\"teir\": 1}}").unwrap();
    assert!(matches!(
        world.init(&InitOptions { dir: Some(world.dir()), tier: Some(1), ..InitOptions::default() }),
        Err(InitError::Problems(_))
    ));
    assert_eq!(world.read("app/.ccxray.json"), "{\"otel\": {\"teir\": 1}}");
}
