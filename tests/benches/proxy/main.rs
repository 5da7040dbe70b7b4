//! What the proxy costs, beside nginx and beside no proxy at all, as ratios within one run.
//!
//! ```sh
//! tests/scripts/get-nginx.sh
//! cargo build --release -p ccxray-proxy -p ccxray-exporter
//! cargo bench -p ccxray-tests --bench proxy
//! ```
//!
//! All peers run at the same time and do the same work in turns, so that whatever else the machine does hits all of
//! them alike. Counted is the CPU time of the peer's process alone, recorder and spool included; clients and provider
//! live in this one. Times on the clock say little on a busy machine.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no count or time of a bench comes near the limits"
)]

mod content;
mod exporter;
mod load;
mod peer;
mod statistics;
mod table;
mod upstream;
mod work;

use std::path::{Path, PathBuf};

use ccxray_tests::daemons::binary;
use clap::Parser;
use peer::Kind;
use work::Work;

/// How to compare.
#[derive(Debug, Parser)]
struct Options {
    /// Rounds of each kind of work
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// Only these kinds of work, by their letters a to e, and x for the exporter's
    #[arg(long, default_value = "abcdex")]
    only: String,
    /// The proxy [default: the one of this build]
    #[arg(long, value_name = "PATH")]
    proxy: Option<PathBuf>,
    /// Another build of the proxy that takes part; may be repeated
    #[arg(long, value_name = "NAME=PATH", value_parser = another)]
    also: Vec<Kind>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run(&options));
}

async fn run(options: &Options) {
    let program = options.proxy.clone().unwrap_or_else(|| binary("ccxray-proxy"));
    let proxy = Kind::Proxy { name: "ccxray-proxy".to_owned(), program };
    let mut kinds = vec![Kind::Direct];
    kinds.extend(nginx());
    kinds.push(proxy.clone());
    kinds.extend(options.also.iter().cloned());
    let exporter = options.only.contains('x').then(|| binary("ccxray-exporter"));
    table::head(&kinds);
    for work in Work::all().into_iter().filter(|work| options.only.contains(work.letter)) {
        let (name, letter) = (work.name, work.letter);
        table::lines(name, letter, &work.compare(&kinds, options.rounds).await);
    }
    if let Some(exporter) = exporter {
        println!();
        exporter::compare(&proxy, &exporter, 2 * options.rounds).await;
    }
}

fn nginx() -> Option<Kind> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/nginx/usr/sbin/nginx");
    if !program.is_file() {
        eprintln!("no nginx to compare with; tests/scripts/get-nginx.sh fetches one");
        return None;
    }
    Some(Kind::Nginx(program))
}

fn another(text: &str) -> Result<Kind, String> {
    let (name, path) = text.split_once('=').ok_or("not of the form NAME=PATH")?;
    Ok(Kind::Proxy { name: name.to_owned(), program: PathBuf::from(path) })
}
