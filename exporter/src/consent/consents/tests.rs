use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use ccxray_shared::UnixMillis;

use super::*;
use crate::consent::{
    Keeper,
    keeper::Sources,
    own::Home,
    trust::{ContentHash, TrustStore, Trusted},
};

/// A home directory, projects, and an environment that notes what is read of it.
struct World {
    _dir: tempfile::TempDir,
    top: PathBuf,
    store: TrustStore,
    reads: Arc<Mutex<Vec<String>>>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("home")).unwrap();
        fs::create_dir_all(top.join("state")).unwrap();
        let store = TrustStore::new(&top.join("state"));
        Self { _dir: dir, top, store, reads: Arc::default() }
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.top.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn own(&self, fields: &str) -> &Self {
        self.file("home/.ccxray.user.json", &format!("{{\"otel\":{{{fields}}}}}"))
    }

    fn project(&self, dir: &str, fields: &str) -> &Self {
        self.file(&format!("{dir}/.ccxray.json"), &format!("{{\"otel\":{{{fields}}}}}"))
    }

    fn trust(&self, dir: &str) -> &Self {
        let dir = self.top.join(dir);
        let text = fs::read_to_string(dir.join(".ccxray.json")).unwrap();
        let content = Some(ContentHash::of(&text));
        let trusted = Trusted { dir, content, personal_is_tracked: false, since: UnixMillis(0) };
        self.store.change(|list| list.insert(trusted)).unwrap();
        self
    }

    fn path(&self, dir: &str) -> String {
        self.top.join(dir).to_str().unwrap().to_owned()
    }

    fn keeper(&self, tier: Option<Tier>, env: &'static [(&'static str, &'static str)]) -> Keeper {
        let reads = Arc::clone(&self.reads);
        Keeper::start(Sources {
            home: Home { home: Some(self.top.join("home")), config: None },
            trust: self.store.clone(),
            ceiling: tier,
            told: None,
            variables: Box::new(move |name| {
                reads.lock().unwrap().push(name.to_owned());
                env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            }),
        })
        .unwrap()
    }
}

/// Asks as the engine does: explores what has not been looked at.
fn ask(
    keeper: &mut Keeper,
    dir: Option<&str>,
    stated: Option<&str>,
    cap: Option<u8>,
) -> Result<(String, u8), String> {
    let mut consents = keeper.consents();
    for _ in 0..3 {
        let unexplored = match consents.decide_for(dir, stated, cap) {
            Decision::Count(grant) => {
                return Ok((grant.destination.endpoint.to_string(), grant.key.tier));
            }
            Decision::Nothing(reason) => return Err(reason.to_string()),
            Decision::StampedOut => return Err("stamped".to_owned()),
            Decision::Unexplored(dir) => dir.to_owned(),
        };
        consents = keeper.explore([unexplored.as_str()]);
    }
    panic!("it is never explored");
}

const ENV: &[(&str, &str)] =
    &[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://server.example"), ("GITHUB_TOKEN", "canary")];

#[expect(clippy::unnecessary_wraps, reason = "it is compared with an answer")]
fn at(host: &str, tier: u8) -> Result<(String, u8), String> {
    Ok((format!("https://{host}.example/v1/metrics"), tier))
}

#[test]
fn every_project_has_its_own_pipeline() {
    let world = World::new();
    world.project("a", r#""tier":1,"endpoint":"https://a.example""#).trust("a");
    world.project("b", r#""tier":1,"endpoint":"https://b.example""#).trust("b");
    world.project("c", r#""tier":1,"endpoint":"https://a.example""#).trust("c");
    world.file("a/sub/x", "");
    let mut keeper = world.keeper(None, &[]);
    assert_eq!(ask(&mut keeper, Some(&world.path("a")), None, None), at("a", 1));
    assert_eq!(ask(&mut keeper, Some(&world.path("a/sub/")), None, None), at("a", 1));
    assert_eq!(ask(&mut keeper, Some(&world.path("b")), None, None), at("b", 1));
    assert_eq!(ask(&mut keeper, Some(&world.path("c")), None, None), at("a", 1));
    assert_eq!(ask(&mut keeper, None, None, None), Err("no tier was given".to_owned()));
    let consents = keeper.consents();
    assert_eq!(consents.grants().len(), 2, "the same destination and resource is the same pipeline");
    assert_eq!(consents.grants()[0].files.len(), 2);
}

#[test]
fn a_project_that_nobody_trusts_has_no_effect_at_all() {
    let world = World::new();
    world
        .project("evil", r#""tier":1,"endpoint":"https://evil.example","headers":{"x-a":"${GITHUB_TOKEN}"}"#);
    world.file(
        "evil/.ccxray.user.json",
        r#"{"otel":{"tier":2,"allow_env":["GITHUB_TOKEN"],"trusted_roots":["/"]}}"#,
    );
    world.own(r#""allow_env":["GITHUB_TOKEN"]"#);
    let mut keeper = world.keeper(None, ENV);
    assert_eq!(ask(&mut keeper, Some(&world.path("evil")), None, None), Err("no tier was given".to_owned()));
    assert!(keeper.consents().grants().is_empty());
    assert_eq!(keeper.consents().directories().count(), 0, "it was not even looked at");
    let reads = world.reads.lock().unwrap();
    assert!(!reads.iter().any(|name| name == "GITHUB_TOKEN"), "{reads:?}");
    drop(reads);
    let mut server = world.keeper(Some(Tier::Anonymous), ENV);
    assert_eq!(ask(&mut server, Some(&world.path("evil")), None, None), at("server", 1));
}

#[test]
fn odd_directories_count_nowhere() {
    let world = World::new();
    world.project("a", r#""tier":1,"endpoint":"https://a.example""#).trust("a");
    let mut keeper = world.keeper(Some(Tier::Anonymous), ENV);
    for odd in [format!("{}/../a", world.path("a")), world.path("a//x"), "a".to_owned(), String::new()] {
        assert_eq!(ask(&mut keeper, Some(&odd), None, None), Err(Reason::OddDirectory.to_string()), "{odd}");
    }
}

#[test]
fn of_two_directories_the_lower_tier_counts() {
    let world = World::new();
    world.own(r#""tier":2,"identity":"me","opt_in_acknowledged_at":"2026-11-20T10:00:00Z""#);
    world.project("two", r#""tier":2,"endpoint":"https://two.example""#).trust("two");
    world.project("one", r#""tier":1,"endpoint":"https://one.example""#).trust("one");
    world.project("zero", r#""tier":0,"endpoint":"https://zero.example""#).trust("zero");
    let [two, one, zero] = ["two", "one", "zero"].map(|dir| world.path(dir));
    let mut keeper = world.keeper(None, &[]);
    let mut asked = |stamp: &str, stated: &str| ask(&mut keeper, Some(stamp), Some(stated), None);
    assert_eq!(asked(&two, &two), at("two", 2));
    assert_eq!(asked(&two, &one), at("two", 1), "to where the stamp says, as far as both allow");
    assert_eq!(asked(&one, &two), at("one", 1));
    assert!(asked(&two, &zero).unwrap_err().ends_with("says tier 0"));
    assert!(asked(&zero, &two).unwrap_err().ends_with("says tier 0"));
    assert_eq!(asked(&two, "/nowhere"), Err("no tier was given".to_owned()));
}

#[test]
fn a_stamp_lowers_and_never_raises() {
    let world = World::new();
    world.own(r#""tier":2,"identity":"me","opt_in_acknowledged_at":"2026-11-20T10:00:00Z""#);
    world.project("two", r#""tier":2,"endpoint":"https://two.example""#).trust("two");
    world.project("one", r#""tier":1,"endpoint":"https://one.example""#).trust("one");
    let mut keeper = world.keeper(None, &[]);
    let mut asked = |dir: &str, cap| ask(&mut keeper, Some(&world.path(dir)), None, Some(cap));
    assert_eq!(asked("two", 2), at("two", 2));
    assert_eq!(asked("two", 1), at("two", 1));
    assert_eq!(asked("two", 0), Err("stamped".to_owned()));
    assert_eq!(asked("one", 2), at("one", 1));
    assert_eq!(asked("one", 9), Err("stamped".to_owned()), "a tier that we do not know");
    let standby: Vec<_> = keeper
        .consents()
        .grants()
        .iter()
        .filter(|grant| grant.is_standby)
        .map(|grant| grant.key.tier)
        .collect();
    assert_eq!(standby, [1]);
}

#[test]
fn a_personal_file_alone_covers_what_lies_below_trusted_roots() {
    let world = World::new();
    world.file("code/app/x", "").file("code/zero/x", "").file("other/x", "");
    world.file("code/zero/.ccxray.user.json", r#"{"otel":{"tier":0}}"#);
    let root = world.path("code");
    world.own(&format!(r#""tier":1,"endpoint":"https://own.example","trusted_roots":["{root}"]"#));
    let mut keeper = world.keeper(None, &[]);
    assert_eq!(ask(&mut keeper, Some(&world.path("code/app")), None, None), at("own", 1));
    assert!(
        ask(&mut keeper, Some(&world.path("code/zero")), None, None).unwrap_err().ends_with("says tier 0")
    );
    for uncovered in [Some(world.path("other")), None] {
        assert_eq!(ask(&mut keeper, uncovered.as_deref(), None, None), Err("no tier was given".to_owned()));
    }
}

#[test]
fn without_a_file_of_its_own_a_trusted_project_is_the_servers() {
    let world = World::new();
    world.file("code/app/x", "").file("code/one/x", "");
    world.file("code/one/.ccxray.user.json", r#"{"otel":{"tier":1}}"#);
    let root = world.path("code");
    world.own(&format!(r#""tier":2,"identity":"me","opt_in_acknowledged_at":"2026-11-20T10:00:00Z","trusted_roots":["{root}"]"#));
    let mut keeper = world.keeper(Some(Tier::Named), ENV);
    assert_eq!(ask(&mut keeper, Some(&world.path("code/app")), None, None), at("server", 2));
    assert_eq!(ask(&mut keeper, Some(&world.path("code/one")), None, None), at("server", 1));
    assert_eq!(ask(&mut keeper, None, None, Some(1)), at("server", 1));
}

#[test]
fn every_change_takes_effect_at_the_next_look() {
    let world = World::new();
    world.project("a", r#""tier":1,"endpoint":"https://a.example""#).trust("a");
    let a = world.path("a");
    let mut keeper = world.keeper(None, &[]);
    assert_eq!(ask(&mut keeper, Some(&a), None, None), at("a", 1));
    assert!(keeper.reload().is_none(), "nothing has changed");
    let mut after = |change: &dyn Fn()| {
        change();
        assert!(keeper.reload().is_some());
        ask(&mut keeper, Some(&a), None, None)
    };
    assert!(
        after(&|| {
            world.own(r#""tier":0"#);
        })
        .unwrap_err()
        .ends_with("says tier 0")
    );
    assert_eq!(
        after(&|| {
            world.own(r#""tier":1"#);
        }),
        at("a", 1)
    );
    assert!(
        after(&|| {
            world.own(r#""tier":9"#);
        })
        .unwrap_err()
        .contains("write 0, 1 or 2"),
        "fails closed"
    );
    assert_eq!(
        after(&|| {
            world.own("");
        }),
        at("a", 1)
    );
    assert!(
        after(&|| {
            world.project("a", r#""tier":1,"endpoint":"https://b.example""#);
        })
        .unwrap_err()
        .contains("has changed")
    );
    assert_eq!(
        after(&|| {
            world.trust("a");
        }),
        at("b", 1)
    );
    assert!(
        after(&|| fs::remove_file(world.top.join("a/.ccxray.json")).unwrap())
            .unwrap_err()
            .contains("is gone")
    );
    assert_eq!(
        after(&|| {
            world.project("a", r#""tier":1,"endpoint":"https://b.example""#);
        }),
        at("b", 1)
    );
    assert_eq!(
        after(&|| assert!(world.store.change(|list| list.remove(&world.top.join("a"))).unwrap())),
        Err("no tier was given".to_owned())
    );
}

#[test]
fn below_a_root_a_file_that_vanishes_takes_its_project_with_it() {
    let world = World::new();
    let root = world.path("code");
    world.own(&format!(r#""tier":1,"endpoint":"https://own.example","trusted_roots":["{root}"]"#));
    world.project("code/a", r#""tier":0"#).file("code/a/sub/x", "");
    let mut keeper = world.keeper(None, &[]);
    let sub = world.path("code/a/sub");
    assert!(ask(&mut keeper, Some(&sub), None, None).unwrap_err().ends_with("says tier 0"));
    fs::remove_file(world.top.join("code/a/.ccxray.json")).unwrap();
    assert!(keeper.reload().is_some());
    assert!(ask(&mut keeper, Some(&sub), None, None).unwrap_err().contains("is gone"));
}

#[test]
fn a_broken_project_disables_that_project_only() {
    let world = World::new();
    world.project("a", r#""tier":7"#).trust("a");
    world.project("b", r#""tier":1,"endpoint":"https://b.example""#).trust("b");
    let mut keeper = world.keeper(None, &[]);
    assert!(ask(&mut keeper, Some(&world.path("a")), None, None).unwrap_err().contains(":1:17: otel.tier"));
    assert_eq!(ask(&mut keeper, Some(&world.path("b")), None, None), at("b", 1));
}

#[test]
fn the_users_own_mistakes_stop_the_start() {
    let world = World::new();
    world.own(r#""tier":1,"endpont":"x""#);
    let sources = Sources {
        home: Home { home: Some(world.top.join("home")), config: None },
        trust: world.store.clone(),
        ceiling: None,
        told: None,
        variables: Box::new(|_| None),
    };
    let error = Keeper::start(sources).unwrap_err().to_string();
    assert!(error.ends_with(":1:19: otel.endpont: unknown key; did you mean `endpoint`?"), "{error}");
}

#[test]
fn made_up_directories_do_not_pile_up() {
    let world = World::new();
    let root = world.path("code");
    fs::create_dir(&root).unwrap();
    world.own(&format!(r#""trusted_roots":["{root}"]"#));
    let mut keeper = world.keeper(None, &[]);
    for n in 0..600 {
        keeper.explore([format!("{root}/{n}").as_str()]);
    }
    assert!(keeper.consents().directories().count() <= 256);
}

#[test]
fn directories_that_nobody_trusts_push_out_none_that_somebody_does() {
    let world = World::new();
    world.project("code/app", r#""tier":1,"endpoint":"https://app.example""#);
    let (root, app) = (world.path("code"), world.path("code/app"));
    world.own(&format!(r#""trusted_roots":["{root}"]"#));
    let made_up: Vec<String> = (0..600).map(|n| format!("/zz/{n}")).collect();
    let all = || [app.as_str()].into_iter().chain(made_up.iter().map(String::as_str));
    let mut keeper = world.keeper(None, &[]);
    assert_eq!(keeper.explore(all()).grants().len(), 1);
}
