//! Projects and directories that somebody laid out to make data leave: nothing does, and nothing of theirs is looked at.
//!
//! [`scene`]: a machine with good and bad collectors, and what must hold there. [`projects`], [`tricks`]: what is laid out.
//! [`repository`]: one that makes git start programs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall stop")]

mod projects;
mod repository;
mod scene;
mod tricks;

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, path::PathBuf, process::Command};

use ccxray_tests::{
    daemons::{Exporter, binary},
    eventually,
    machine::{has_requests, resources},
    trace::Tracer,
};

use self::{
    repository::hostile_repository,
    scene::{ALLOWED, Scene, assert_harmless},
};

#[tokio::test]
async fn no_project_and_no_directory_makes_anything_leave_that_nobody_agreed_to() {
    let Some(tracer) = Tracer::new() else { return };
    let scene = Scene::new().await;
    let foreign = scene.foreign_projects();
    let bad = scene.bad_projects();
    scene.person_agrees();
    let [good, redirected] = scene.good_projects();
    let trace = tracer.trace();
    let exporter = scene
        .variables
        .iter()
        .fold(Exporter::without_consent().interval("100ms"), |exporter, (name, value)| {
            exporter.variable(name, value)
        });
    let mut exporter =
        exporter.variable("CCXRAY_LOG", "trace").traced(&trace).start(&scene.machine.state).await;
    let tricks = scene.tricks();
    let texts = tricks.iter().map(|text| OsStr::new(text.as_str()));
    let not_text = [scene.path("good").as_os_str().as_bytes(), b"/\xff\xfe"].concat();
    for dir in foreign
        .iter()
        .chain(&bad)
        .map(|dir| dir.as_os_str())
        .chain(texts)
        .chain([OsStr::from_bytes(&not_text)])
    {
        scene.asks_from(dir, &good).await;
    }
    scene.machine.asks(&redirected, 1).await;
    scene.machine.asks(&good, 2).await;
    scene.machine.has_counted(&exporter).await;
    has_requests(&scene.good, 2).await;
    eventually("a redirected push", || (scene.redirecting.count() > 0).then_some(())).await;

    let quiet = tracer.trace();
    for arguments in [&["status"][..], &["status", "--json"], &["preview"], &["doctor"]] {
        scene.assert_no_secret(scene.said(arguments, &quiet).as_bytes(), &format!("{arguments:?}"));
    }
    exporter.stop().await;
    let calls = trace.ended().await;
    assert_eq!(scene.evil.connections(), 0);
    assert_harmless(&calls, &[&scene.good, &scene.redirecting]);
    scene.assert_in_trusted_places(&calls);
    assert!(calls.variables().contains(ALLOWED), "what is allowed is read");

    let pushes = scene.good.received();
    let authorization = format!("Bearer {}", scene.allowed);
    assert!(pushes.iter().all(|push| push.request.header("authorization") == Some(&authorization)));
    assert_eq!(resources(&scene.good, "project.name"), [Some("good".to_owned())]);
    for push in pushes.into_iter().chain(scene.redirecting.received()) {
        scene.assert_no_secret(&push.plain, "a push");
        scene.assert_no_secret(format!("{:?}", push.request.headers).as_bytes(), "a push's head");
    }
    assert_eq!(scene.canaries.found_below(scene.machine.state.root()), Vec::<String>::new());
    assert!(!exporter.said().contains(&scene.allowed), "what came from a variable is masked");
}

#[tokio::test]
async fn commands_in_a_hostile_directory_start_nothing_connect_nowhere_and_show_no_secret() {
    let Some(tracer) = Tracer::new() else { return };
    let scene = Scene::new().await;
    let dirs: Vec<_> = scene.foreign_projects().into_iter().chain(scene.bad_projects()).collect();
    scene.person_agrees();
    let repository = scene.path("foreign/git");
    let mark = hostile_repository(&repository);
    let repository_is = repository.to_str().unwrap();
    let mut commands: Vec<Vec<&str>> = vec![
        vec!["trust", repository_is],
        vec!["doctor", repository_is],
        vec!["init", "--personal", "--dir", repository_is, "--tier", "1", "--yes"],
        vec![
            "init",
            "--dir",
            repository_is,
            "--tier",
            "1",
            "--endpoint",
            "http://127.0.0.1:9",
            "--project-name",
            "x",
        ],
    ];
    commands.push(std::iter::once("doctor").chain(dirs.iter().map(|dir| dir.to_str().unwrap())).collect());
    for dir in &dirs {
        commands.push(vec!["trust", dir.to_str().unwrap()]);
    }
    commands.extend(["doctor", "preview", "status"].map(|command| vec![command]));
    for arguments in commands {
        let trace = tracer.trace();
        let said = scene.said(&arguments, &trace);
        scene.assert_no_secret(said.as_bytes(), &format!("{arguments:?}"));
        assert!(!said.contains(&scene.allowed), "{arguments:?}: {said}");
        let calls = trace.ended().await;
        assert_harmless(&calls, &[]);
        let started: Vec<_> = calls
            .programs()
            .into_iter()
            .filter(|path| !path.ends_with("git") && *path != binary("ccxray-exporter"))
            .collect();
        assert_eq!(started, Vec::<PathBuf>::new(), "{arguments:?}");
        assert!(!mark.exists(), "{arguments:?}");
    }
    assert_eq!(scene.canaries.found_below(scene.machine.state.root()), Vec::<String>::new());
    assert_eq!(scene.evil.connections() + scene.good.connections(), 0);
    assert!(!repository.with_extension("elsewhere").exists(), "no file elsewhere is written");
    // Asked without care, git starts it, for each of two reasons: the bait is a good one.
    for careless in [&["-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "none"][..], &["status"]]
    {
        // What it asks for does not come.
        let asked = Command::new("git").arg("-C").arg(&repository).args(careless).output().unwrap();
        assert!(mark.exists(), "{careless:?}: {asked:?}");
        fs::remove_file(&mark).unwrap();
    }
}
