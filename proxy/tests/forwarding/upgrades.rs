//! A `WebSocket` passes; no other upgrade does.

use ccxray_shared::entry::{Outcome, Route};
use tokio::io::AsyncWriteExt;

use super::support::{Proxy, accept, has_header, names, read_head, read_past, read_rest, upstream};

const UPGRADE: &str = "GET /v1/responses HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_is_relayed_until_both_sides_have_ended() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.send(UPGRADE).await;
    let mut server = accept(&listener).await;
    let head = read_head(&mut server).await;
    for line in UPGRADE.split("\r\n").filter(|line| line.starts_with("Sec-") || line.starts_with("Up")) {
        assert!(has_header(&head, line), "{line} in {head}");
    }
    // The first frame comes in one piece with the head.
    server.write_all([SWITCHING, "<first>"].concat().as_bytes()).await.unwrap();
    let head = read_head(&mut client).await;
    for line in SWITCHING.split("\r\n").filter(|line| line.contains(": ")) {
        assert!(has_header(&head, line), "{line} in {head}");
    }
    read_past(&mut client, "<first>").await;
    client.write_all(b"<question>").await.unwrap();
    read_past(&mut server, "<question>").await;
    client.shutdown().await.unwrap();
    assert_eq!(read_rest(&mut server).await, b"");
    server.write_all(b"<answer>").await.unwrap();
    drop(server);
    assert_eq!(read_rest(&mut client).await, b"<answer>");
    let closing = proxy.closing().await;
    assert_eq!((closing.outcome, closing.opening.route), (Outcome::Complete, Route::Responses));
    assert_eq!((closing.request_bytes, closing.response_bytes), (10, 15));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_reset_ends_the_websocket_for_the_upstream() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.send(UPGRADE).await;
    let mut server = accept(&listener).await;
    read_head(&mut server).await;
    server.write_all(SWITCHING.as_bytes()).await.unwrap();
    read_head(&mut client).await;
    client.write_all(b"x").await.unwrap();
    read_past(&mut server, "x").await;
    client.set_zero_linger().unwrap();
    drop(client);
    assert_eq!(read_rest(&mut server).await, b"");
    assert_eq!(proxy.closing().await.outcome, Outcome::ClientAbort);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_upgrade_is_an_ordinary_answer() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.send(UPGRADE).await;
    let mut server = accept(&listener).await;
    read_head(&mut server).await;
    server.write_all(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
    assert!(read_past(&mut client, "no").await.starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
    assert_eq!(proxy.closing().await.outcome, Outcome::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_not_offered_by_upgrade() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let _client = proxy
        .send("GET /v1/responses HTTP/1.1\r\nHost: HOST\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
        .await;
    let mut server = accept(&listener).await;
    let head = read_head(&mut server).await;
    assert!(
        !names(&head, "upgrade") && !names(&head, "http2-settings") && !names(&head, "connection"),
        "{head}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_nobody_asked_for_is_a_502() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.send("GET /v1/models HTTP/1.1\r\nHost: HOST\r\nx-api-key: k\r\n\r\n").await;
    let mut server = accept(&listener).await;
    read_head(&mut server).await;
    server.write_all(SWITCHING.as_bytes()).await.unwrap();
    let head = read_head(&mut client).await;
    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
    assert_eq!(proxy.closing().await.outcome, Outcome::UpstreamUnreachable);
}
