//! How exchanges end, and that nobody is told otherwise.

use std::time::Duration;

use ccxray_shared::entry::Outcome;
use hyper_util::client::proxy::matcher::Matcher;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{Proxy, accept, dechunk, has_header, read_head, read_past, read_rest, soon, upstream};

const GET: &str = "GET /v1/models HTTP/1.1\r\nHost: HOST\r\nx-api-key: k\r\n\r\n";
const POST: &str = "POST /v1/messages HTTP/1.1\r\nHost: HOST\r\nContent-Length: 4\r\n\r\nbody";

#[tokio::test(flavor = "multi_thread")]
async fn a_chunked_answer_cut_at_any_byte_is_never_given_a_clean_end() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = "6\r\nevent:\r\nb\r\n completion\r\n2\r\n\n\n\r\n0\r\n\r\n";
    for cut in 0..body.len() {
        let mut client = proxy.send(POST).await;
        let mut server = accept(&listener).await;
        read_past(&mut server, "body").await;
        server.write_all(&[head.as_bytes(), &body.as_bytes()[..cut]].concat()).await.unwrap();
        drop(server);
        read_head(&mut client).await;
        let seen = read_rest(&mut client).await;
        assert_eq!(dechunk(&seen), None, "cut at {cut}");
        assert_eq!(proxy.closing().await.outcome, Outcome::UpstreamAbort, "cut at {cut}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_the_upstream_broke_off_reaches_the_client() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    for (length, sent) in [("Content-Length: 10", "12345"), ("Transfer-Encoding: chunked", "5\r\n12345\r\n")]
    {
        let mut client = proxy.send(GET).await;
        let mut server = accept(&listener).await;
        read_head(&mut server).await;
        server.write_all(format!("HTTP/1.1 200 OK\r\n{length}\r\n\r\n{sent}").as_bytes()).await.unwrap();
        drop(server);
        read_head(&mut client).await;
        assert_eq!(String::from_utf8(read_rest(&mut client).await).unwrap(), sent);
        let closing = proxy.closing().await;
        assert_eq!((closing.outcome, closing.response_bytes), (Outcome::UpstreamAbort, 5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_breaks_off_before_its_head_is_complete_is_a_502() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    for sent in ["", "HTTP/1.1 200 OK\r\nContent-Le", "220 smtp.example ready\r\n"] {
        let mut client = proxy.send(POST).await;
        let mut server = accept(&listener).await;
        read_past(&mut server, "body").await;
        server.write_all(sent.as_bytes()).await.unwrap();
        drop(server);
        let head = read_head(&mut client).await;
        assert!(head.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{head}");
        assert!(has_header(&head, "x-ccxray-error: broke_off"), "{head}");
        let closing = proxy.closing().await;
        assert_eq!((closing.outcome, closing.head.is_none()), (Outcome::UpstreamUnreachable, true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_is_not_there_is_a_502_in_its_providers_shape() {
    let (listener, address) = upstream().await;
    drop(listener);
    let proxy = Proxy::before(address).await;
    let mut client = proxy.send(POST).await;
    let head = read_head(&mut client).await;
    assert!(head.starts_with("HTTP/1.1 502 ") && has_header(&head, "x-ccxray-error: unreachable"), "{head}");
    let body: serde_json::Value = serde_json::from_slice(&read_rest(&mut client).await).unwrap();
    assert_eq!((&body["type"], &body["error"]["type"]), (&"error".into(), &"api_error".into()));
    assert_eq!(proxy.closing().await.outcome, Outcome::UpstreamUnreachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_never_shakes_hands_is_a_504() {
    let (_listener, address) = upstream().await;
    let proxy = Proxy::hurried(&format!("anthropic=https://{address}"), Duration::from_millis(100)).await;
    let mut client = proxy.send(POST).await;
    let head = read_head(&mut client).await;
    assert!(
        head.starts_with("HTTP/1.1 504 ") && has_header(&head, "x-ccxray-error: connect_timeout"),
        "{head}"
    );
    assert_eq!(proxy.closing().await.outcome, Outcome::UpstreamUnreachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_proxy_is_asked_for_a_tunnel_and_its_refusal_is_a_502() {
    let (listener, address) = upstream().await;
    let matcher = Matcher::builder().https(format!("http://user:canary@{address}")).build();
    let proxy = Proxy::behind(matcher, "anthropic=https://api.example").await;
    let mut client = proxy.send(POST).await;
    let mut company = accept(&listener).await;
    let head = read_head(&mut company).await;
    assert!(head.starts_with("CONNECT api.example:443 HTTP/1.1\r\n"), "{head}");
    // `user:canary`, encoded with coreutils' `base64`.
    assert!(has_header(&head, "Proxy-Authorization: Basic dXNlcjpjYW5hcnk="), "{head}");
    company.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.unwrap();
    let answer = String::from_utf8(read_rest(&mut client).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 502 ") && !answer.contains("canary"), "{answer}");
    assert_eq!(proxy.closing().await.outcome, Outcome::UpstreamUnreachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_during_the_answer_takes_the_upstream_with_it() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.send(POST).await;
    let mut server = accept(&listener).await;
    read_past(&mut server, "body").await;
    server.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n").await.unwrap();
    read_past(&mut client, "a\r\n").await;
    drop(client);
    assert_eq!(read_rest(&mut server).await, b"", "the upstream's connection ends");
    let closing = proxy.closing().await;
    assert_eq!((closing.outcome, closing.response_bytes), (Outcome::ClientAbort, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_before_the_answer_takes_the_upstream_with_it() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let client = proxy.send(POST).await;
    let mut server = accept(&listener).await;
    read_past(&mut server, "body").await;
    drop(client);
    assert_eq!(read_rest(&mut server).await, b"", "the upstream's connection ends");
    let closing = proxy.closing().await;
    assert_eq!((closing.outcome, closing.head.is_none()), (Outcome::ClientAbort, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_during_its_upload_takes_the_upstream_with_it() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let client =
        proxy.send("POST /v1/messages HTTP/1.1\r\nHost: HOST\r\nContent-Length: 9\r\n\r\npart").await;
    let mut server = accept(&listener).await;
    read_past(&mut server, "part").await;
    drop(client);
    assert_eq!(read_rest(&mut server).await, b"", "the upstream's connection ends");
    let closing = proxy.closing().await;
    assert_eq!((closing.outcome, closing.request_bytes), (Outcome::ClientAbort, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_before_the_upload_is_complete_is_delivered() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let client =
        proxy.send("POST /v1/messages HTTP/1.1\r\nHost: HOST\r\nContent-Length: 67108864\r\n\r\n").await;
    let (mut from_proxy, mut to_proxy) = client.into_split();
    let sending =
        tokio::spawn(async move { to_proxy.write_all(&vec![0; 64 << 20]).await.map(|()| to_proxy) });
    let mut server = accept(&listener).await;
    read_head(&mut server).await;
    let mut some = vec![0; 65536];
    soon(server.read_exact(&mut some)).await.unwrap();
    server
        .write_all(b"HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\nContent-Length: 5\r\n\r\nlarge")
        .await
        .unwrap();
    let head = read_head(&mut from_proxy).await;
    drop(server);
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
    assert_eq!(read_past(&mut from_proxy, "large").await, "large");
    let closing = proxy.closing().await;
    assert_eq!((closing.outcome, closing.response_bytes), (Outcome::Complete, 5));
    // Many a client looks for an answer only after it has written all; a reset would take it away.
    soon(sending).await.unwrap().expect("the rest of the upload is taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_met_a_closed_idle_connection_is_sent_on_a_new_one() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    for _ in 0..20 {
        let mut client = proxy.send(POST).await;
        let mut server = accept(&listener).await;
        read_past(&mut server, "body").await;
        server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        read_past(&mut client, "ok").await;
        // The connection goes back to the pool, and its other end is closed here.
    }
    assert_eq!(proxy.messages().iter().filter(|message| is_complete(message)).count(), 20);
}

fn is_complete(message: &ccxray_proxy::record::exchange::Message) -> bool {
    use ccxray_proxy::record::exchange::Message::Finish;
    matches!(message, Finish(closing, _) if closing.outcome == Outcome::Complete)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_was_written_is_never_sent_again() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.connect().await;
    let post = POST.replace("HOST", &proxy.address.to_string());
    client.write_all(post.as_bytes()).await.unwrap();
    let mut server = accept(&listener).await;
    read_past(&mut server, "body").await;
    server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    read_past(&mut client, "ok").await;
    client.write_all(post.as_bytes()).await.unwrap();
    read_past(&mut server, "body").await;
    drop(server);
    let head = read_head(&mut client).await;
    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
    let again = tokio::time::timeout(Duration::from_millis(300), listener.accept()).await;
    assert!(again.is_err(), "a second connection for a request that had been written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_upload_is_the_clients_fault() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let request =
        "POST /v1/messages HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nno size\r\n";
    let mut client = proxy.send(request).await;
    let mut server = accept(&listener).await;
    let head = read_head(&mut client).await;
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    let seen = String::from_utf8(read_rest(&mut server).await).unwrap();
    assert!(!seen.ends_with("0\r\n\r\n"), "the upstream must not take the part for the whole: {seen}");
    assert_eq!(proxy.closing().await.outcome, Outcome::ClientAbort);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_lets_what_is_in_flight_end_and_closes_the_rest() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut idle = proxy.connect().await;
    let mut client = proxy.send(POST).await;
    let mut server = accept(&listener).await;
    read_past(&mut server, "body").await;
    let drained = async {
        proxy.drained().await;
    };
    let ending = async {
        assert_eq!(read_rest(&mut idle).await, b"", "the idle connection is closed");
        server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        assert!(read_rest(&mut client).await.ends_with(b"ok"));
    };
    tokio::join!(drained, ending);
    assert_eq!(proxy.gauges.connections(), 0);
}
