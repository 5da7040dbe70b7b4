//! What reaches the upstream, and what the recorder learns of it.

use ccxray_proxy::record::exchange::Message;
use ccxray_shared::entry::{Outcome, Provider, Route};
use tokio::io::AsyncWriteExt;

use super::support::{Proxy, accept, names, read_head, read_past, upstream};

#[tokio::test(flavor = "multi_thread")]
async fn a_stamped_path_reaches_the_upstream_without_its_stamps() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::with(&[format!("mine=http://{address}/base")]).await;
    let mut client = proxy
        .send("POST /_ccxray/mine/dir/L2hvbWUvdS9w/tier/0/agent-otel/1/-/v1/messages?beta=true HTTP/1.1\r\nHost: HOST\r\nContent-Length: 2\r\n\r\n{}")
        .await;
    let mut server = accept(&listener).await;
    let seen = read_past(&mut server, "{}").await;
    assert!(seen.starts_with("POST /base/v1/messages?beta=true HTTP/1.1\r\n"), "{seen}");
    server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    read_past(&mut client, "ok").await;
    let closing = proxy.closing().await;
    let opening = &closing.opening;
    assert_eq!(
        (closing.outcome, opening.provider, opening.route),
        (Outcome::Complete, Provider::Anthropic, Route::Messages)
    );
    assert_eq!(&*opening.upstream, "mine");
    assert_eq!(opening.attribution.dir.as_deref(), Some("/home/u/p"));
    assert_eq!((opening.attribution.tier_cap, opening.attribution.agent_otel), (Some(0), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn stamping_headers_stay_here_and_credentials_pass_by_the_recorder() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy
        .send("POST /v1beta/models/g-3:streamGenerateContent?alt=sse HTTP/1.1\r\nHost: HOST\r\nx-goog-api-key: canary\r\nX-Ccxray-Dir: L2hvbWUvdS9w\r\nX-Ccxray-Tier: 1\r\nUser-Agent: GeminiCLI/1\r\nContent-Length: 2\r\n\r\n{}")
        .await;
    let mut server = accept(&listener).await;
    let seen = read_past(&mut server, "{}").await;
    assert!(seen.starts_with("POST /v1beta/models/g-3:streamGenerateContent?alt=sse HTTP/1.1\r\n"), "{seen}");
    assert!(
        names(&seen, "x-goog-api-key") && !names(&seen, "x-ccxray-dir") && !names(&seen, "x-ccxray-tier")
    );
    server.write_all(b"HTTP/1.1 200 OK\r\nSet-Cookie: canary\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    read_past(&mut client, "ok").await;
    let closing = proxy.closing().await;
    assert!(!format!("{closing:?}").contains("canary"));
    assert_eq!(closing.opening.path_model.as_deref(), Some("g-3"));
    assert_eq!(closing.opening.headers["user-agent"], "GeminiCLI/1");
    assert_eq!(closing.opening.attribution.tier_cap, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recorder_sees_both_bodies_in_their_order() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client =
        proxy.send("POST /v1/messages HTTP/1.1\r\nHost: HOST\r\nContent-Length: 4\r\n\r\nbody").await;
    let mut server = accept(&listener).await;
    read_past(&mut server, "body").await;
    server.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
    read_head(&mut client).await;
    for chunk in ["3\r\nabc\r\n", "2\r\nde\r\n", "0\r\n\r\n"] {
        server.write_all(chunk.as_bytes()).await.unwrap();
        read_past(&mut client, chunk).await;
    }
    let mut seen = Vec::new();
    // The end of the exchange is recorded before its last bytes are written out.
    for message in proxy.messages() {
        seen.push(match message {
            Message::RequestChunk(_, bytes, ..) => format!("> {}", String::from_utf8_lossy(&bytes)),
            Message::RequestEnd(..) => "> end".to_owned(),
            Message::ResponseEnd(..) => "< end".to_owned(),
            Message::ResponseHead(_, head, _) => format!("< {}", head.status.as_u16()),
            Message::ResponseChunk(_, bytes, ..) => format!("< {}", String::from_utf8_lossy(&bytes)),
            Message::Finish(closing, _) => closing.outcome.as_str().to_owned(),
        });
    }
    assert_eq!(seen, ["> body", "> end", "< 200", "< abc", "< de", "complete"]);
}
