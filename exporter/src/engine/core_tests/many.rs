//! Several pipelines beside each other, and consent that changes.

use proptest::prelude::*;

use super::*;
use crate::{
    consent::consents::made_up::without,
    measure::{Key, Metric},
    pipeline::state::PipelineState,
};

const A: &str = "/code/a";
const B: &str = "/code/b";

fn anonymous(project: &str) -> Grant {
    grant(&format!("http://{project}.example/v1/metrics"), Tier::Anonymous, project)
}

fn named(project: &str) -> Grant {
    grant(&format!("http://{project}.example/v1/metrics"), Tier::Named, project)
}

/// A project at tier 1, one at tier 2, and a server.
fn all() -> Consents {
    consents(Some(server()), vec![(A, anonymous("a")), (B, named("b"))])
}

fn begin(consents: Consents) -> Core {
    let mut next = 0;
    let random = move || {
        next += 1;
        next
    };
    Core::start(CoreOptions { consents: Arc::new(consents), ..options() }, None, T0, random)
}

fn agree(core: &mut Core, consents: Consents, now: UnixMillis) -> super::super::Agreement {
    core.agree(&Arc::new(consents), now, || 99)
}

fn of(dir: &'static str, ended_at: UnixMillis) -> Entry<'static> {
    Entry { dir: Some(dir.into()), ..priced(ended_at) }
}

/// How many requests the pipeline of this project at this tier has counted.
fn requests(state: &State, project: &str, tier: u8) -> Option<u64> {
    let saved = state.pipelines.iter().map(|saved| &saved.state);
    let mut of_project = saved.filter(|state| {
        let key = &state.identity.key;
        key.attributes.get("project.name").is_some_and(|name| name == project) && key.tier == tier
    });
    of_project.next().map(requests_in)
}

fn requests_in(state: &PipelineState) -> u64 {
    let rows = state.rows.iter().filter(|saved| saved.series.metric == Metric::Requests);
    rows.map(|saved| match saved.row.value {
        crate::measure::totals::Value::Sum(sum) => sum,
        crate::measure::totals::Value::Histogram { .. } => panic!("requests are a sum"),
    })
    .sum()
}

/// What the resource of each snapshot says, with the seconds of its cut.
fn resources(core: &mut Core) -> Vec<(String, BTreeMap<String, String>)> {
    let resource = |snapshot: &Snapshot| {
        let attributes = &snapshot.request.resource_metrics[0].resource.as_ref().unwrap().attributes;
        let pairs = attributes.iter().map(|pair| (pair.key.clone(), text(pair.value.as_ref().unwrap())));
        (((snapshot.cut.0 - T0.0) / 1000).to_string(), pairs.collect())
    };
    sent(core).iter().map(resource).collect()
}

#[test]
fn every_project_is_sent_to_its_own_destination_and_named_only_where_that_is_agreed() {
    let mut core = begin(all());
    core.advance(at(10));
    count(&mut core, &of(A, at(10)));
    count(&mut core, &of(B, at(11)));
    count(&mut core, &of(B, at(12)));
    core.advance(at(60));
    let to = |core: &Core, id| core.get(id).unwrap().grant().destination.endpoint.to_string();
    let sent: Vec<_> =
        core.take_ready().into_iter().map(|(id, snapshot)| (to(&core, id), snapshot)).collect();
    let requests = |snapshot| points(snapshot)["requests_total{anthropic,messages,2xx,turn} 60"];
    let found: Vec<_> = sent.iter().map(|(to, snapshot)| (to.as_str(), requests(snapshot))).collect();
    assert_eq!(found, [("http://a.example/v1/metrics", 1.0), ("http://b.example/v1/metrics", 2.0)]);
    let is_named = |snapshot: &Snapshot| format!("{snapshot:?}").contains("enduser.id");
    assert_eq!(sent.iter().map(|(_, snapshot)| is_named(snapshot)).collect::<Vec<_>>(), [false, true]);
    assert!(!format!("{sent:?}").contains("/code"), "no directory leaves the machine");
}

#[test]
fn a_directory_in_a_trusted_place_is_to_be_looked_at_before_its_entries_count() {
    let mut core = begin(all());
    let entry = of("/code/new", at(10));
    assert_eq!(core.route(&entry), Err(Lack::Directory("/code/new")));
    let mut more = vec![(A, anonymous("a")), (B, named("b"))];
    more.push(("/code/new", anonymous("a")));
    assert_eq!(agree(&mut core, consents(Some(server()), more), at(10)), Agreement::default());
    assert_eq!(core.route(&entry), core.route(&of(A, at(10))), "it is the same project's");
    assert_eq!(core.route(&of("/elsewhere", at(10))), core.route(&priced(at(10))), "it is the server's");
}

#[test]
fn a_directory_that_is_looked_at_late_was_agreed_to_before() {
    let mut core = begin(without(Some(server()), vec![], &[B]));
    core.advance(at(10));
    agree(&mut core, without(Some(server()), vec![(A, anonymous("a"))], &[B]), at(12));
    count(&mut core, &of(A, at(10)));
    agree(&mut core, all(), at(20));
    count(&mut core, &of(B, at(15)));
    let state = core.to_state(vec![], at(21));
    assert_eq!(requests(&state, "a", 1), Some(1), "nobody had changed anything since the start");
    assert_eq!(requests(&state, "b", 2), Some(0), "something else was agreed to after that entry");
}

#[test]
fn what_is_there_only_for_stamped_exchanges_begins_with_the_first_of_them() {
    let mut core = begin(all());
    let keys =
        |core: &Core| core.exported().iter().map(|each| each.grant().tier.number()).collect::<Vec<_>>();
    assert_eq!(keys(&core), [1, 1, 2], "the server, a and b");
    let stamped = Entry { tier_cap: Some(1), ..of(B, at(10)) };
    let Err(Lack::Pipeline(grant)) = core.route(&stamped) else { panic!() };
    core.open(grant, (at(5), at(10)), || 50).unwrap();
    count(&mut core, &stamped);
    assert_eq!(keys(&core), [1, 1, 2, 1]);
    // It stays, whatever else is agreed to.
    assert_eq!(agree(&mut core, all(), at(11)), Agreement::default());
    let state = core.to_state(vec![], at(12));
    assert_eq!((requests(&state, "b", 1), requests(&state, "b", 2)), (Some(1), Some(0)));
}

#[test]
fn a_withdrawn_consent_ends_the_pipeline_with_what_waits_and_a_new_one_begins_at_zero() {
    let mut core = begin(all());
    core.advance(at(10));
    count(&mut core, &of(A, at(10)));
    count(&mut core, &of(B, at(10)));
    core.advance(at(60));
    let id = core.exported().iter().find(|each| each.grant().key == anonymous("a").key).unwrap().id();
    let before = core.get(id).unwrap().identity().instance.clone();
    let agreement = agree(&mut core, without(Some(server()), vec![(B, named("b"))], &[A]), at(61));
    assert_eq!(agreement, Agreement { closed: vec![id], opened: vec![] });
    assert_eq!(resources(&mut core).len(), 1, "only the other one's snapshot is still there");
    let again = agree(&mut core, all(), at(70));
    let [new] = again.opened[..] else { panic!("{again:?}") };
    assert_ne!(core.get(new).unwrap().identity().instance, before);
    count(&mut core, &of(A, at(69)));
    count(&mut core, &of(A, at(71)));
    core.acked(id, CutId(at(60).0));
    let state = core.to_state(vec![], at(72));
    assert_eq!(requests(&state, "a", 1), Some(1), "consent is not retroactive");
    assert_eq!(requests(&state, "b", 2), Some(1), "the other one went on");
}

#[test]
fn another_tier_is_another_series_under_another_id() {
    let mut core = begin(consents(None, vec![(B, named("b"))]));
    core.advance(at(10));
    count(&mut core, &of(B, at(10)));
    core.advance(at(60));
    let before = resources(&mut core).remove(0).1;
    agree(&mut core, consents(None, vec![(B, anonymous("b"))]), at(61));
    count(&mut core, &of(B, at(62)));
    core.advance(at(120));
    let after = resources(&mut core).remove(0).1;
    assert_eq!((before.contains_key("enduser.id"), after.get("enduser.id")), (true, None));
    assert_ne!(before["service.instance.id"], after["service.instance.id"]);
}

#[test]
fn series_from_before_a_name_was_given_are_not_gone_on_with_after_it_was_taken_back() {
    let at_tier = |grant: Grant| consents(None, vec![(B, grant)]);
    let anonymous_id = |core: &Core| {
        let ids = core.exported().iter().filter(|each| each.grant().tier == Tier::Anonymous);
        ids.map(|each| each.identity().instance.clone()).next()
    };
    let mut core = begin(at_tier(anonymous("b")));
    let before = anonymous_id(&core).unwrap();
    let state = core.to_state(vec![], T0);
    agree(&mut core, at_tier(named("b")), at(10));
    assert_eq!(anonymous_id(&core), None, "nothing is sent without the name any more");
    agree(&mut core, at_tier(anonymous("b")), at(20));
    assert_ne!(anonymous_id(&core).unwrap(), before);
    let options = CoreOptions { consents: Arc::new(at_tier(named("b"))), ..options() };
    let core = Core::start(options, Some(state), at(30), || 50);
    assert_eq!(anonymous_id(&core), None, "nor if that was agreed to while nobody was there");
}

#[test]
fn windows_are_as_long_as_each_project_says() {
    let quick = Grant { interval: Some(Duration::from_secs(20)), ..anonymous("a") };
    let mut core = begin(consents(None, vec![(A, quick), (B, named("b"))]));
    core.advance(at(5));
    assert_eq!(core.horizon(), at(20));
    for (dir, second) in [(A, 5), (B, 6), (A, 25), (B, 45)] {
        core.advance(at(second));
        count(&mut core, &of(dir, at(second)));
    }
    core.advance(at(60));
    let cuts: Vec<(String, String)> = resources(&mut core)
        .into_iter()
        .map(|(cut, mut resource)| (resource.remove("project.name").unwrap(), cut))
        .collect();
    let expected = [("a", "20"), ("a", "40"), ("a", "60"), ("b", "60")];
    assert_eq!(cuts, expected.map(|(project, cut)| (project.to_owned(), cut.to_owned())));
}

#[test]
fn a_restart_amid_windows_of_different_lengths_goes_on_in_each() {
    let agreed = || {
        let quick = Grant { interval: Some(Duration::from_secs(20)), ..anonymous("a") };
        consents(Some(server()), vec![(A, quick), (B, named("b"))])
    };
    let mut core = begin(agreed());
    core.advance(at(25));
    for entry in [of(A, at(25)), of(B, at(26)), priced(at(27))] {
        count(&mut core, &entry);
    }
    let saved = serde_json::to_vec(&core.to_state(vec![], at(28))).unwrap();
    let state: State = serde_json::from_slice(&saved).unwrap();
    let dirs: Vec<&str> = state.directories.iter().map(|seen| seen.dir.as_str()).collect();
    assert_eq!(dirs, [A, B]);
    let options = CoreOptions { consents: Arc::new(agreed()), ..options() };
    let mut core = Core::start(options, Some(state), at(29), || panic!("no pipeline is new"));
    core.advance(at(29));
    assert!(core.take_ready().is_empty(), "no window ended meanwhile");
    count(&mut core, &of(A, at(31)));
    core.advance(at(60));
    let counted = |(snapshot, cut): (&Snapshot, &str)| {
        points(snapshot)[&format!("requests_total{{anthropic,messages,2xx,turn}} {cut}")]
    };
    let snapshots = sent(&mut core);
    let counted: Vec<f64> = snapshots.iter().zip(["60", "40", "60"]).map(counted).collect();
    assert_eq!(counted, [1.0, 2.0, 1.0], "the server's, a's and b's");
}

#[test]
fn a_checkpoint_of_an_early_build_with_one_destination_goes_on() {
    let mut core = begin(consents(Some(server()), vec![]));
    core.advance(at(10));
    count(&mut core, &priced(at(10)));
    let mut saved = serde_json::to_value(core.to_state(vec![], at(12))).unwrap();
    saved.as_object_mut().unwrap().remove("directories").unwrap();
    for pipeline in saved["pipelines"].as_array_mut().unwrap() {
        for field in ["window_start", "agreed", "is_complement"] {
            pipeline.as_object_mut().unwrap().remove(field).unwrap();
        }
    }
    let state = serde_json::from_value(saved).unwrap();
    let options = CoreOptions { consents: Arc::new(consents(Some(server()), vec![])), ..options() };
    let mut core = Core::start(options, Some(state), at(13), || panic!("nothing is new"));
    count(&mut core, &priced(at(14)));
    core.advance(at(60));
    assert_eq!(points(&sent(&mut core)[0])["requests_total{anthropic,messages,2xx,turn} 60"], 2.0);
}

#[test]
fn a_long_absence_is_withheld_by_every_pipeline_that_was_there() {
    let state = begin(all()).to_state(vec![], T0);
    let later = consents(Some(server()), vec![(A, anonymous("a")), (B, anonymous("b"))]);
    let options = CoreOptions { consents: Arc::new(later), ..options() };
    let mut core = Core::start(options, Some(state), at(3600), || 50);
    core.advance(at(100));
    for dir in [A, B] {
        count(&mut core, &of(dir, at(100)));
    }
    let state = core.to_state(vec![], at(3601));
    let withheld: BTreeMap<&str, u64> = state
        .pipelines
        .iter()
        .skip(1)
        .map(|saved| {
            let name = saved.state.identity.key.attributes["project.name"].as_str();
            (name, saved.state.withheld.iter().map(|absence| absence.entries).sum())
        })
        .collect();
    assert_eq!(withheld, [("server", 0), ("a", 1), ("b", 0)].into(), "b's new series begin at the start");
    assert_eq!(requests(&state, "b", 1), Some(0));
}

#[test]
fn figures_of_the_whole_machine_go_to_the_server_only() {
    let mut core = begin(all());
    core.advance(at(10));
    count(&mut core, &of(A, at(10)));
    core.count_loss("torn", 3, at(11));
    core.set_active_requests(Some(4));
    core.advance(at(60));
    for snapshot in sent(&mut core) {
        let is_server = format!("{snapshot:?}").contains("\"server\"");
        let points = points(&snapshot);
        let of_machine = points.keys().filter(|key| key.starts_with("spool") || key.starts_with("proxy"));
        assert_eq!(of_machine.count(), if is_server { 3 } else { 0 }, "{points:?}");
    }
}

#[test]
fn what_else_a_project_says_of_its_pipeline_counts() {
    let strict = Grant {
        budgets: [((Metric::ToolInvocations, Key::Tool), 0)].into(),
        promote: vec!["project.name".to_owned()],
        ..anonymous("a")
    };
    let mut core = begin(consents(None, vec![(A, strict)]));
    core.advance(at(10));
    let mut entry = of(A, at(10));
    entry.agent_otel = true;
    let calls = vec![ToolCall::named(Name::from_wire("mcp__mine__tool"))];
    entry.tools = Some(ToolCalls { blocks: 1, calls, unreadable: 0 });
    count(&mut core, &entry);
    count(&mut core, &of(A, at(11)));
    assert_eq!(core.take_complement_news().count(), 1);
    assert_eq!(core.take_complement_news().count(), 0, "it is said once");
    core.advance(at(60));
    let points = points(&sent(&mut core)[0]);
    assert!(points.keys().any(|key| key.starts_with("tool.invocations_total{_overflow_,")), "{points:?}");
    assert!(points.keys().all(|key| key.contains(",a") || key.contains("{a")), "{points:?}");
}

#[test]
fn another_way_to_the_same_destination_sends_uncertain_zeros_again() {
    let mut core = begin(consents(None, vec![(A, anonymous("a"))]));
    core.advance(at(10));
    count(&mut core, &of(A, at(10)));
    core.advance(at(60));
    sent(&mut core);
    let mut elsewhere = anonymous("a");
    elsewhere.destination.compression = crate::deliver::payload::Compression::None;
    let id = only(&core);
    let agreement = agree(&mut core, consents(None, vec![(A, elsewhere)]), at(61));
    assert_eq!(agreement, Agreement { closed: vec![], opened: vec![id] });
    core.advance(at(120));
    assert_eq!(points(&sent(&mut core)[0])["requests_total{anthropic,messages,2xx,turn} 0"], 0.0);
}

/// What one step of the model does.
#[derive(Clone, Debug)]
enum Step {
    /// An entry of one of the directories, with a stamp.
    Count(usize, Option<u8>),
    /// Time goes on.
    Wait(u64),
    /// The process is another one.
    Restart,
}

const DIRS: [Option<&str>; 4] = [None, Some(A), Some(B), Some("/elsewhere")];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..DIRS.len(), prop_oneof![3 => Just(None), 1 => (0..4u8).prop_map(Some)])
            .prop_map(|(dir, cap)| Step::Count(dir, cap)),
        3 => (1..90u64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

/// The project and the tier in whose pipeline an entry counts, by what was agreed.
fn expected_place(dir: Option<&str>, cap: Option<u8>) -> Option<(&'static str, u8)> {
    let (project, tier) = match dir {
        Some(A) => ("a", 1),
        Some(B) => ("b", 2),
        _ => ("server", 1),
    };
    let tier = match cap {
        None | Some(2) => tier,
        Some(1) => 1,
        // A stamp that we do not know lets nothing out.
        Some(_) => 0,
    };
    (tier > 0).then_some((project, tier))
}

proptest! {
    #[test]
    fn every_entry_counts_on_the_page_and_in_at_most_one_pipeline(
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut core = begin(all());
        let mut bits = 1000;
        let mut now = at(1);
        let mut expected: BTreeMap<(&str, u8), u64> = BTreeMap::new();
        let mut all_entries = 0;
        for step in steps {
            match step {
                Step::Wait(seconds) => now = now.after(Duration::from_secs(seconds)),
                Step::Restart => {
                    let saved = serde_json::to_vec(&core.to_state(vec![], now)).unwrap();
                    let options = CoreOptions { consents: Arc::new(all()), ..options() };
                    core = Core::start(options, Some(serde_json::from_slice(&saved).unwrap()), now, || 7);
                }
                Step::Count(dir, tier_cap) => {
                    let dir = DIRS[dir];
                    let entry = Entry { dir: dir.map(Into::into), tier_cap, ..priced(now) };
                    core.advance(now);
                    if let Err(Lack::Pipeline(grant)) = core.route(&entry) {
                        bits += 1;
                        core.open(grant, (now, now), || bits).unwrap();
                    }
                    count(&mut core, &entry);
                    all_entries += 1;
                    if let Some(place) = expected_place(dir, tier_cap) {
                        *expected.entry(place).or_default() += 1;
                    }
                }
            }
        }
        let state = core.to_state(vec![], now);
        prop_assert_eq!(requests_in(&state.pipelines[0].state), all_entries);
        for (project, tier) in [("server", 1), ("a", 1), ("b", 1), ("b", 2)] {
            let counted = requests(&state, project, tier).unwrap_or_default();
            prop_assert_eq!(counted, expected.get(&(project, tier)).copied().unwrap_or_default());
        }
        prop_assert!(state.pipelines.len() <= 5);
    }
}
