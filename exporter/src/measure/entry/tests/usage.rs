use ccxray_shared::entry::Agent;

use super::*;

const USAGE: [&str; 2] = ["agent_type", "provider"];

fn asked_by(class: Class, kind: Option<&'static str>, sub: bool) -> Entry<'static> {
    let agent = Some(Agent { kind: kind.map(Name::from_wire), sub, id: None });
    Entry { class, agent, ..turn(Provider::Anthropic) }
}

#[test]
fn a_billed_request_counts_once_for_its_provider_and_once_for_its_agent() {
    let distribution = ("provider.distribution_total{anthropic}", 1);
    for (entry, agent) in [
        (turn(Provider::Anthropic), "main"),
        (asked_by(Class::Turn, None, false), "main"),
        (asked_by(Class::Turn, Some("Explore"), true), "explore"),
        (asked_by(Class::Turn, Some("general-purpose"), true), "general-purpose"),
        (asked_by(Class::Turn, Some("my-own"), true), "my-own"),
        (asked_by(Class::Turn, None, true), "custom"),
        (asked_by(Class::Title, None, false), "title"),
        (asked_by(Class::WebSearch, None, false), "web-search"),
        (asked_by(Class::Compaction, None, false), "compaction"),
        (asked_by(Class::Helper, None, false), "helper"),
    ] {
        let agent = format!("agent_type.invocations_total{{{agent}}}");
        expect(&entry, &USAGE, &[(&agent, 1), distribution]);
    }
}

#[test]
fn what_is_not_billed_or_was_not_answered_is_nobodys_request() {
    for class in
        [Class::WarmUp, Class::TokenCount, Class::Probe, Class::Platform, Class::Connection, Class::Other]
    {
        expect(&Entry { class, ..turn(Provider::Gemini) }, &USAGE, &[]);
    }
    expect(&refused(529), &USAGE, &[]);
    expect(&Entry { status: None, ..turn(Provider::OpenAi) }, &USAGE, &[]);
    expect(
        &Entry { retry: true, ..turn(Provider::OpenAi) },
        &USAGE[1..],
        &[("provider.distribution_total{openai}", 1)],
    );
}

#[test]
fn every_exchange_is_a_request_with_its_status() {
    let entry = Entry { class: Class::Connection, status: Some(101), ..turn(Provider::OpenAi) };
    expect(&entry, &["requests"], &[("requests_total{openai,messages,1xx,connection}", 1)]);
    expect(&refused(529), &["requests"], &[("requests_total{anthropic,messages,5xx,turn}", 1)]);
}
