//! What must not be seen, anywhere.

use ccxray_exporter::deliver::{health::State, outcome::OutcomeKind, transport::HttpTransport};

use crate::{
    collector::{Collector, answer},
    rig::{CANARY, QUICK, Rig, destination},
};

#[tokio::test]
async fn refused_credentials_open_the_circuit_and_stay_secret() {
    for status in [401, 403] {
        // A server that repeats what it was given.
        let body = format!("bad token {CANARY}");
        let collector = Collector::start(move |_, _| answer(status, "", body.as_bytes())).await;
        let headers = format!("authorization=Bearer%20{CANARY}");
        let endpoint = format!("http://{}/base?key={CANARY}", collector.address);
        let destination = destination(&endpoint, &[("OTEL_EXPORTER_OTLP_HEADERS", &headers)]);
        let transport = HttpTransport::new(&destination).unwrap();
        let debug = format!("{destination:?} {transport:?}");
        let mut rig = Rig::with(transport, &destination, QUICK);
        rig.offer(1, &["m"]);
        let record = rig.until(State::CircuitOpen).await;
        assert_eq!((record.cause, record.cooldown_ms), (Some(OutcomeKind::Refused), 400));

        let received = collector.received();
        assert_eq!(received.len(), 1);
        assert!(received[0].head.contains(&format!("authorization: bearer {CANARY}\r\n")), "it is sent");
        let (log, worker) = (rig.log(), format!("{:?}", rig.worker));
        assert!(log.contains("/base/v1/metrics?*** attempt refused"), "{log}");
        for text in [log, debug, worker, serde_json::to_string(&record).unwrap()] {
            assert!(!text.contains(CANARY), "{text}");
        }
    }
}
