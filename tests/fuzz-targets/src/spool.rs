//! The lines between the two processes.

use ccxray_exporter::classify::{Classified, price_table::PriceTable};
use ccxray_shared::line::Line;

/// A line that can be read can be written, and says the same then; an entry has a meaning.
pub fn line(data: &[u8]) {
    let Ok(line) = Line::decode(data) else { return };
    let mut written = Vec::new();
    line.encode(&mut written).expect("what was read can be written");
    assert_eq!(written.pop(), Some(b'\n'));
    assert!(!written.contains(&b'\n'));
    assert_eq!(Line::decode(&written).expect("what was written can be read"), line);
    if let Line::Entry(entry) = &line {
        thread_local!(static PRICES: PriceTable = PriceTable::embedded());
        PRICES.with(|prices| _ = Classified::of(entry, prices));
    }
}
