//! What a running exporter has to write down before it sends.
//!
//! Nothing is remembered here: what is due follows from what the ledger says and what the pipelines hold. So what could
//! not be written is due again.

use std::{collections::BTreeMap, time::Duration};

use ccxray_shared::UnixMillis;

use super::{Author, Begun, Ledger, PipelineHash, Positions, Record, Span, SpanId, Why, Withheld};
use crate::pipeline::{identity::Identity, withheld::Absence};

/// A stream in which nothing has happened for so long has nothing that ends later.
const AT_REST: Duration = Duration::from_hours(24);

/// What a pipeline holds, and what it is about to do.
#[derive(Clone, Debug)]
pub struct Holding<'a> {
    /// Who it is.
    pub identity: &'a Identity,
    /// Its resource's own attributes, masked.
    pub resource: &'a BTreeMap<String, String>,
    /// When it was enabled.
    pub since: UnixMillis,
    /// Where the reading stood when it was made, if it was made just now.
    pub start: Option<&'a Positions>,
    /// All absences whose entries it does not send.
    pub absences: Vec<Absence>,
    /// The last snapshot that its destination has.
    pub acked: Option<UnixMillis>,
    /// The last snapshot that is about to be sent.
    pub attempt: Option<&'a Attempt>,
}

/// A snapshot that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its time.
    pub cut: UnixMillis,
    /// All that it may hold lies before.
    pub upto: Positions,
}

/// The records that say what `ledger` does not say yet of the `pipelines`, which are all that there are at `now`.
/// `random` gives the bits of new spans' ids.
pub fn due(
    ledger: &Ledger,
    pipelines: &[Holding<'_>],
    now: UnixMillis,
    mut random: impl FnMut() -> u64,
) -> Vec<Record> {
    let begun: Vec<Begun> =
        pipelines.iter().map(|pipeline| pipeline.begun(SpanId::from_bits(random()))).collect();
    let is_living = |span: &Span| begun.iter().any(|begun| begun.is_same_work(span.begun()));
    let over = ledger.open_spans(Author::Live).filter(|span| !is_living(span));
    let over = over.map(|span| Record::Ended { span: span.begun().span.clone(), at: now });
    let said = pipelines.iter().zip(&begun).flat_map(|(pipeline, begun)| pipeline.due(ledger, begun));
    over.chain(said).collect()
}

impl Holding<'_> {
    /// Its beginning, as a span of that id.
    fn begun(&self, span: SpanId) -> Begun {
        let Identity { key, instance } = self.identity;
        Begun {
            span,
            author: Author::Live,
            pipeline: PipelineHash::of(key),
            destination: key.destination.clone().unwrap_or_default(),
            tier: key.tier,
            resource: self.resource.clone(),
            instance: instance.clone(),
            since: self.since,
            until: None,
            start: self.start.cloned().unwrap_or_default(),
        }
    }

    fn due(&self, ledger: &Ledger, begun: &Begun) -> Vec<Record> {
        let open = ledger.open_spans(Author::Live).find(|span| begun.is_same_work(span.begun()));
        let new = Span::new(begun.clone());
        let span = open.unwrap_or(&new);
        let beginning = open.is_none_or(|open| begun.since < open.begun().since);
        let beginning = beginning.then(|| Begun { span: span.begun().span.clone(), ..begun.clone() });
        let mut records: Vec<Record> = beginning.map(Record::Begun).into_iter().collect();
        records.extend(self.absences.iter().filter_map(|absence| withheld(span, absence)));
        records.extend(self.acked.and_then(|cut| exported(span, cut)));
        records.extend(self.attempt.and_then(|attempt| attempted(span, attempt)));
        records
    }
}

fn withheld(span: &Span, absence: &Absence) -> Option<Record> {
    let &Absence { from, until, entries: _ } = absence;
    let is_said = span.withheld().iter().any(|said| said.from == from && said.until <= until);
    let after = || span.attempted_since(from.before(AT_REST));
    let id = span.begun().span.clone();
    let withheld = || Withheld { span: id, from, until, why: Why::Absence, after: after() };
    (!is_said).then(withheld).map(Record::Withheld)
}

fn exported(span: &Span, acked: UnixMillis) -> Option<Record> {
    let cut = span.covered_by_ack(acked)?;
    Some(Record::Exported { span: span.begun().span.clone(), cut })
}

/// Nothing for a snapshot that only repeats what those before it held.
fn attempted(span: &Span, attempt: &Attempt) -> Option<Record> {
    let upto = span.beyond_attempted(&attempt.upto);
    let is_new = !upto.is_empty();
    is_new.then(|| Record::Attempted { span: span.begun().span.clone(), cut: attempt.cut, upto })
}
