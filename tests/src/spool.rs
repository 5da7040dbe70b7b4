//! Reads a spool directory without the product's code, to check what the product made of it.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

/// What a spool holds.
#[derive(Clone, Debug, Default)]
pub struct Spool {
    /// The entries of each stream, in order.
    pub streams: BTreeMap<String, Vec<Value>>,
    /// What the gaps say was lost.
    pub lost: u64,
    /// Segments that end in an unfinished line.
    pub torn: usize,
}

impl Spool {
    /// Reads all segments below a state directory. Panics on a whole line that is not JSON.
    pub fn read(state_dir: &Path) -> Self {
        let mut spool = Self::default();
        for path in segments(&state_dir.join("spool")) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let stream = name.split('-').next().unwrap_or_default().to_owned();
            spool.take_in(&stream, &fs::read(&path).expect("a segment can be read"));
        }
        spool
    }

    /// All entries.
    pub fn entries(&self) -> impl Iterator<Item = &Value> {
        self.streams.values().flatten()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries().count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Panics unless each stream's running numbers go up from 0 without a hole.
    pub fn assert_no_holes(&self) {
        for (stream, entries) in &self.streams {
            let numbers: Vec<_> = entries.iter().map(|entry| entry["seq"].as_u64()).collect();
            let expected: Vec<_> = (0..entries.len() as u64).map(Some).collect();
            assert_eq!(numbers, expected, "the running numbers of stream {stream}");
        }
    }

    fn take_in(&mut self, stream: &str, segment: &[u8]) {
        let whole = segment.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        self.torn += usize::from(whole < segment.len());
        for line in segment[..whole].split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let line: Value = serde_json::from_slice(line).expect("a whole line is JSON");
            match line["kind"].as_str() {
                Some("entry") => self.streams.entry(stream.to_owned()).or_default().push(line),
                Some("gap") => self.lost += line["lost"].as_u64().expect("a gap counts"),
                _ => {}
            }
        }
    }
}

/// The segments in the directory, by name, which is by stream and sequence; none if there is no directory.
fn segments(dir: &Path) -> Vec<std::path::PathBuf> {
    let Ok(files) = fs::read_dir(dir) else { return Vec::new() };
    let mut segments: Vec<_> = files
        .map(|file| file.expect("the directory can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    segments.sort();
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_count_and_a_torn_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("spool")).unwrap();
        let text = "{\"kind\":\"segment\"}\n{\"kind\":\"entry\",\"seq\":0}\n{\"kind\":\"gap\",\"lost\":4}\n{\"kind\":\"ent";
        fs::write(dir.path().join("spool/00000000000000aa-00000000.jsonl"), text).unwrap();
        let spool = Spool::read(dir.path());
        assert_eq!((spool.len(), spool.lost, spool.torn), (1, 4, 1));
        spool.assert_no_holes();
    }
}
