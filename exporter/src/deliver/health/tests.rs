use proptest::prelude::*;

use super::*;

const NOW: MonoMillis = MonoMillis(1_000_000);
const LATER: MonoMillis = MonoMillis(2_000_000);
const MINUTE: Duration = Duration::from_mins(1);

const ACTIVE: Health = Health::Active;
const DISABLED: Health = Health::Disabled;
const DEGRADED: Health = Health::Degraded { failures: 2, retry_at: LATER };
const OPEN: Health = Health::CircuitOpen { until: LATER, cooldown: MINUTE };
const HALF_OPEN: Health = Health::HalfOpen { cooldown: MINUTE };

const RETRYABLE: Event = Event::Retryable { after: None };
const EVENTS: [Event; 9] = [
    Event::Delivered,
    RETRYABLE,
    Event::Refused,
    Event::Misconfigured,
    Event::Rejected,
    Event::Lost,
    Event::CooldownOver,
    Event::Enabled,
    Event::Disabled,
];

fn step(health: Health, event: Event) -> Health {
    health.step(event, NOW, &Policy::default(), Jitter(0))
}

fn degraded(failures: u32, millis: u64) -> Health {
    Health::Degraded { failures, retry_at: MonoMillis(NOW.0 + millis) }
}

fn open(seconds: u64) -> Health {
    Health::CircuitOpen { until: MonoMillis(NOW.0 + seconds * 1000), cooldown: Duration::from_secs(seconds) }
}

#[test]
fn every_state_answers_every_event_as_the_table_says() {
    let probed = degraded(0, 0);
    #[rustfmt::skip]
    let table: [(Health, [Health; 9]); 5] = [
        // from      delivered  retryable          refused    misconfigured         rejected  lost      cooldown over  enabled    disabled
        (DISABLED,  [DISABLED,  DISABLED,          DISABLED,  DISABLED,             DISABLED, DISABLED, DISABLED,      ACTIVE,    DISABLED]),
        (ACTIVE,    [ACTIVE,    degraded(1, 1000), open(600), degraded(1, 60_000),  ACTIVE,   probed,   ACTIVE,        ACTIVE,    DISABLED]),
        (DEGRADED,  [ACTIVE,    degraded(3, 4000), open(600), degraded(3, 240_000), probed,   probed,   DEGRADED,      DEGRADED,  DISABLED]),
        (OPEN,      [ACTIVE,    OPEN,              OPEN,      OPEN,                 OPEN,     OPEN,     OPEN,          OPEN,      DISABLED]),
        (HALF_OPEN, [ACTIVE,    open(120),         open(600), degraded(1, 60_000),  probed,   probed,   HALF_OPEN,     HALF_OPEN, DISABLED]),
    ];
    for (from, expected) in table {
        for (event, expected) in EVENTS.into_iter().zip(expected) {
            assert_eq!(step(from, event), expected, "{from:?} on {event:?}");
        }
    }
}

#[test]
fn the_fifth_consecutive_retryable_failure_opens_the_circuit_for_a_minute() {
    let mut health = ACTIVE;
    for (failures, wait) in [(1, 1000), (2, 2000), (3, 4000), (4, 8000)] {
        health = step(health, RETRYABLE);
        assert_eq!(health, degraded(failures, wait));
    }
    assert_eq!(step(health, RETRYABLE), open(60));
}

#[test]
fn each_failed_probe_doubles_the_cooldown_up_to_ten_minutes() {
    let mut health = open(60);
    for seconds in [120, 240, 480, 600, 600] {
        let Health::CircuitOpen { until, .. } = health else { panic!("not open: {health:?}") };
        let probe = health.step(Event::CooldownOver, until, &Policy::default(), Jitter(0));
        assert_eq!(probe.state(), State::HalfOpen);
        health = step(probe, RETRYABLE);
        assert_eq!(health, open(seconds));
    }
}

#[test]
fn the_circuit_stays_open_to_the_last_millisecond() {
    let policy = Policy::default();
    let early = OPEN.step(Event::CooldownOver, MonoMillis(LATER.0 - 1), &policy, Jitter(0));
    assert_eq!(early, OPEN);
    assert_eq!(OPEN.step(Event::CooldownOver, LATER, &policy, Jitter(0)), HALF_OPEN);
}

#[test]
fn retry_after_lengthens_a_wait_and_never_shortens_it() {
    let after = |seconds| Event::Retryable { after: Some(Duration::from_secs(seconds)) };
    assert_eq!(step(ACTIVE, after(30)), degraded(1, 30_000));
    assert_eq!(step(ACTIVE, after(0)), degraded(1, 1000));
    let Health::CircuitOpen { until, cooldown } = step(HALF_OPEN, after(3600)) else { panic!("not open") };
    assert_eq!((until, cooldown), (MonoMillis(NOW.0 + 3_600_000), Duration::from_mins(2)));
}

#[test]
fn jitter_adds_up_to_a_fifth() {
    let with = |byte| ACTIVE.step(RETRYABLE, NOW, &Policy::default(), Jitter(byte));
    assert_eq!(with(0), degraded(1, 1000));
    assert_eq!(with(255), degraded(1, 1200));
}

#[test]
fn attempts_wait_for_their_time() {
    for (health, expected) in [
        (DISABLED, NextAttempt::Never),
        (ACTIVE, NextAttempt::Now),
        (DEGRADED, NextAttempt::At(LATER)),
        (OPEN, NextAttempt::At(LATER)),
        (HALF_OPEN, NextAttempt::Now),
    ] {
        assert_eq!(health.next_attempt(), expected);
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    let after = proptest::option::of((0_u64..4000).prop_map(Duration::from_secs));
    prop_oneof![proptest::sample::select(EVENTS.to_vec()), after.prop_map(|after| Event::Retryable { after }),]
}

proptest! {
    #[test]
    fn whatever_happened_a_success_makes_a_consenting_destination_active(
        events in proptest::collection::vec((any_event(), 0_u64..700_000, any::<u8>()), 0..60),
    ) {
        let (mut health, mut now) = (ACTIVE, NOW);
        for (event, passed, jitter) in events {
            now.0 += passed;
            health = health.step(event, now, &Policy::default(), Jitter(jitter));
            if let NextAttempt::At(at) = health.next_attempt() {
                // An hour of Retry-After and its jitter, at most: every state has an exit.
                prop_assert!(at.since(now) <= Duration::from_mins(80));
            }
        }
        let expected = if health == DISABLED { DISABLED } else { ACTIVE };
        prop_assert_eq!(health.step(Event::Delivered, now, &Policy::default(), Jitter(0)), expected);
    }
}
