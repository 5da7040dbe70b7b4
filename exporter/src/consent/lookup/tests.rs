use std::{fs, os::unix::fs::symlink};

use ccxray_shared::UnixMillis;

use super::*;
use crate::consent::{place::Refused, tier::Tier};

const TIER_1: &str = r#"{"otel":{"tier":1}}"#;

/// A directory with projects in it.
struct World {
    _dir: tempfile::TempDir,
    top: PathBuf,
    places: Places,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        Self { _dir: dir, top, places: Places::default() }
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.top.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn root(mut self, path: &str) -> Self {
        let real = self.top.join(path);
        fs::create_dir_all(&real).unwrap();
        self.places.roots.push(Root { written: real.clone(), real });
        self
    }

    fn trust(&mut self, dir: &str, content: Option<&str>) {
        self.places.list.insert(Trusted {
            dir: self.top.join(dir),
            content: content.map(ContentHash::of),
            personal_is_tracked: false,
            since: UnixMillis(0),
        });
    }

    fn look(&self, dir: &str) -> Result<Project, Reason> {
        self.places.look(self.top.join(dir).to_str().unwrap())
    }

    fn tier(&self, dir: &str) -> Option<Tier> {
        self.look(dir).unwrap().file.unwrap().settings.tier
    }
}

#[test]
fn only_plain_absolute_paths_are_directories() {
    for (dir, expected) in [("/a/b", "/a/b"), ("/a/b/", "/a/b"), ("/", "/")] {
        assert_eq!(plain(dir), Some(expected));
    }
    for dir in
        ["", "a", "./a", "/a/../b", "/a/./b", "/a//b", "//a", "/a/..", "/a\0b", "/a\u{1b}[2J", "~/a", "C:\\a"]
    {
        assert_eq!(plain(dir), None, "{dir:?}");
    }
    assert_eq!(plain(&format!("/{}", "a/".repeat(3000))), None);
}

#[test]
fn a_file_is_found_from_the_directory_up_to_the_repositorys_root() {
    let world = World::new().root("code");
    world
        .file("code/app/.ccxray.json", TIER_1)
        .file("code/app/.git/HEAD", "")
        .file("code/app/src/deep/x", "");
    world
        .file("code/.ccxray.json", r#"{"otel":{"tier":2}}"#)
        .file("code/other/.git", "gitdir: x")
        .file("code/plain/x", "");
    for dir in ["code/app", "code/app/src", "code/app/src/deep"] {
        assert_eq!(world.tier(dir), Some(Tier::Anonymous), "{dir}");
    }
    assert_eq!(world.look("code/other").unwrap().file, None, "the root of a repository is the end");
    assert_eq!(world.tier("code/plain"), Some(Tier::Named));
}

#[test]
fn nothing_is_found_above_a_trusted_place() {
    let world = World::new().root("code/app");
    world.file("code/.ccxray.json", TIER_1).file("code/app/x", "");
    assert_eq!(world.look("code/app").unwrap().file, None);
}

#[test]
fn a_directory_outside_of_trusted_places_is_not_looked_at() {
    let mut world = World::new().root("code");
    world.file("elsewhere/.ccxray.json", TIER_1).file("code-of-others/.ccxray.json", TIER_1);
    world.trust("elsewhere/one", Some(TIER_1));
    for dir in ["elsewhere", "code-of-others", "elsewhere/onety", ""] {
        assert_eq!(world.places.real(world.top.join(dir).to_str().unwrap()), None, "{dir}");
    }
    assert!(matches!(world.look("elsewhere"), Err(Reason::NotTrusted(_))));
}

#[test]
fn a_project_is_trusted_by_its_path_and_its_content() {
    let mut world = World::new();
    world.file("a/.ccxray.json", TIER_1).file("b/.ccxray.json", TIER_1).file("a/sub/x", "");
    world.trust("a", Some(TIER_1));
    assert_eq!(world.tier("a/sub"), Some(Tier::Anonymous));
    assert!(matches!(world.look("b"), Err(Reason::NotTrusted(_))), "the same content elsewhere");
    world.file("a/.ccxray.json", r#"{"otel":{"tier":1 }}"#);
    assert!(matches!(world.look("a/sub"), Err(Reason::Changed(_))), "one space more");
    fs::remove_file(world.top.join("a/.ccxray.json")).unwrap();
    assert!(matches!(world.look("a/sub"), Err(Reason::Vanished(_))));
}

#[test]
fn a_project_without_a_file_is_trusted_as_long_as_it_has_none() {
    let mut world = World::new();
    world.file("a/x", "");
    world.trust("a", None);
    assert_eq!(world.look("a").unwrap().file, None);
    world.file("a/.ccxray.json", TIER_1);
    assert!(matches!(world.look("a"), Err(Reason::Changed(_))));
}

#[test]
fn a_repository_within_a_trusted_project_is_another_one() {
    let mut world = World::new();
    world
        .file("a/.ccxray.json", TIER_1)
        .file("a/vendor/lib/.git/HEAD", "")
        .file("a/vendor/evil/.ccxray.json", TIER_1);
    world.trust("a", Some(TIER_1));
    assert!(matches!(world.look("a/vendor/lib"), Err(Reason::NotTrusted(_))));
    assert!(matches!(world.look("a/vendor/evil"), Err(Reason::NotTrusted(_))));
    assert_eq!(world.tier("a/vendor"), Some(Tier::Anonymous));
}

#[test]
fn symlinks_lead_nowhere() {
    let world = World::new().root("code");
    world.file("secret/.ccxray.json", TIER_1).file("code/app/x", "").file("code/linked/x", "");
    symlink(world.top.join("secret"), world.top.join("code/app/out")).unwrap();
    symlink(world.top.join("secret/.ccxray.json"), world.top.join("code/linked/.ccxray.json")).unwrap();
    assert!(matches!(world.look("code/app/out"), Err(Reason::Unseen(_))));
    assert!(matches!(world.look("code/linked"), Err(Reason::Refused(_, Refused::Symlink))));
}

#[test]
fn a_directory_that_is_gone_covers_nothing() {
    let world = World::new().root("code");
    world.file("code/.ccxray.json", TIER_1);
    assert!(matches!(world.look("code/gone"), Err(Reason::Unseen(_))));
}

#[test]
fn a_root_is_known_by_its_written_and_its_real_path() {
    let mut world = World::new();
    world.file("real/app/.ccxray.json", TIER_1);
    symlink("real", world.top.join("link")).unwrap();
    world.places.roots.push(Root { written: world.top.join("link"), real: world.top.join("real") });
    assert_eq!(world.tier("link/app"), Some(Tier::Anonymous));
    assert_eq!(world.tier("real/app"), Some(Tier::Anonymous));
}

#[test]
fn what_would_be_mounted_is_not_looked_at() {
    let mut world = World::new().root("code");
    world.file("code/app/.ccxray.json", TIER_1);
    let at = world.top.join("code/app");
    world.places.mounts = Mounts::parse(&format!("44 25 0:37 / {} rw - autofs systemd-1 rw", at.display()));
    assert_eq!(world.look("code/app"), Err(Reason::Automount(at)));
    world.places.roots = vec![Root { written: "/net".into(), real: "/net".into() }];
    assert!(matches!(world.places.look("/net/host/app"), Err(Reason::Automount(_))));
}

#[test]
fn personal_files_on_the_way_are_found_and_a_broken_one_stops_everything() {
    let mut world = World::new().root("code");
    world
        .file("code/app/.ccxray.json", TIER_1)
        .file("code/app/.ccxray.user.json", r#"{"otel":{"identity":"me"}}"#);
    world.file("code/app/sub/.ccxray.user.json", r#"{"otel":{"tier":0}}"#);
    let found = world.look("code/app/sub").unwrap();
    let tiers: Vec<_> = found.personal.iter().map(|stated| stated.settings.tier).collect();
    assert_eq!(tiers, [Some(Tier::Disabled), None]);
    world.file("code/app/.ccxray.user.json", "{");
    assert!(matches!(world.look("code/app"), Err(Reason::Broken(_))));
    world.file("code/app/.ccxray.user.json", r#"{"otel":{"identity":"me"}}"#);
    world.trust("code/app", Some(TIER_1));
    assert!(world.look("code/app").unwrap().personal[0].settings.identity.is_some());
    let mut tracked = world.places.list.of(&world.top.join("code/app")).unwrap().clone();
    tracked.personal_is_tracked = true;
    world.places.list.insert(tracked);
    assert!(world.look("code/app").unwrap().personal[0].settings.identity.is_none());
}

#[test]
fn a_broken_project_file_is_told_with_its_place() {
    let world = World::new().root("code");
    world.file("code/app/.ccxray.json", "{\"otel\":\n{\"tier\":5}}");
    let Err(Reason::Broken(text)) = world.look("code/app") else { panic!() };
    assert!(text.ends_with("/code/app/.ccxray.json:2:9: otel.tier: this is 5; write 0, 1 or 2"), "{text}");
}
