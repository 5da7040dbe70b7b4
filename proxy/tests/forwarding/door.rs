//! Who is not let in.

use tokio::io::AsyncWriteExt;

use super::support::{Proxy, accept, has_header, listener, read_head, read_past, read_rest, upstream};

async fn refused(request: &str) -> String {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.send(request).await;
    let answer = String::from_utf8(read_rest(&mut client).await).unwrap();
    assert_eq!(proxy.gauges.refused(), 1, "{answer}");
    assert!(proxy.messages().is_empty(), "a refusal leaves no entry");
    drop(listener);
    answer.split_inclusive("\r\n\r\n").next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused() {
    for (request, status, kind) in [
        ("GET /v1/models HTTP/1.1\r\nHost: evil.example\r\nx-api-key: k\r\n\r\n", 403, "forbidden"),
        ("GET /v1/models HTTP/1.1\r\nx-api-key: k\r\n\r\n", 400, "host"),
        ("GET /v1/models HTTP/1.1\r\nHost: HOST\r\nOrigin: http://evil.example\r\n\r\n", 403, "forbidden"),
        ("GET /v1/models HTTP/1.1\r\nHost: HOST\r\nSec-Fetch-Site: cross-site\r\n\r\n", 403, "forbidden"),
        ("GET http://evil.example/v1/models HTTP/1.1\r\nHost: HOST\r\n\r\n", 403, "forbidden"),
        ("CONNECT api.anthropic.com:443 HTTP/1.1\r\nHost: HOST\r\n\r\n", 405, "connect"),
        ("GET /nobody/knows HTTP/1.1\r\nHost: HOST\r\n\r\n", 404, "no_route"),
        ("GET /_ccxray/nobody/-/x HTTP/1.1\r\nHost: HOST\r\n\r\n", 404, "no_route"),
        ("GET /_ccxray/anthropic/colour/red/-/x HTTP/1.1\r\nHost: HOST\r\n\r\n", 400, "stamp"),
        ("GET /v1/models HTTP/1.1\r\nHost: HOST\r\nx-api-key: k\r\nx-ccxray-tier: 9\r\n\r\n", 400, "stamp"),
    ] {
        let head = refused(request).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request}{head}");
        assert!(has_header(&head, &format!("x-ccxray-error: {kind}")), "{request}{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_two_lengths_is_refused_whichever_comes_first() {
    for lengths in
        ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5"]
    {
        let head =
            refused(&format!("POST /v1/messages HTTP/1.1\r\nHost: HOST\r\n{lengths}\r\n\r\n0\r\n\r\n")).await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
        assert!(has_header(&head, "x-ccxray-error: two_lengths"), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lengths_are_seen_on_a_later_request_too_and_not_in_a_body() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let body = "\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    let request =
        format!("POST /v1/messages HTTP/1.1\r\nHost: HOST\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut client = proxy.send(&request).await;
    let mut server = accept(&listener).await;
    read_past(&mut server, body).await;
    server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    assert!(read_past(&mut client, "ok").await.starts_with("HTTP/1.1 200 "));
    let second = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: {}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        proxy.address
    );
    client.write_all(second.as_bytes()).await.unwrap();
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_value_never_stands_in_an_own_answer() {
    let (listener, address) = upstream().await;
    drop(listener);
    let proxy = Proxy::before(address).await;
    for path in ["/v1/messages", "/_ccxray/bad/x/y/-/z", "/nowhere"] {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer canary\r\nX-Ccxray-Tier: canary\r\nContent-Length: 0\r\n\r\n"
        );
        let mut client = proxy.send(&request).await;
        let answer = String::from_utf8(read_rest(&mut client).await).unwrap();
        assert!(answer.contains("x-ccxray-error") && !answer.contains("canary"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_round_is_stopped() {
    let (first, second) = (listener().await, listener().await);
    let (to_first, to_second) = (first.address().to_string(), second.address().to_string());
    let first = Proxy::at(first, &[format!("anthropic=http://{to_second}")]);
    let second = Proxy::at(second, &[format!("anthropic=http://{to_first}")]);
    let mut client =
        first.send("POST /v1/messages HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n").await;
    let head = read_head(&mut client).await;
    assert!(head.starts_with("HTTP/1.1 508 ") && has_header(&head, "x-ccxray-error: loop"), "{head}");
    assert_eq!((first.gauges.refused(), second.gauges.refused()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_answered_here_and_never_reach_an_upstream() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let long = "x".repeat(70_000);
    let many = "x: y\r\n".repeat(101);
    for (status, malformed) in [
        (400, "Content-Length : 5"),
        (400, "Content-Length: +5"),
        (400, "Content-Length: 5\r\nContent-Length: 6"),
        (400, "Content-Length: 5, 6"),
        (400, "Content-Length: -1"),
        (400, "Content-Length: 99999999999999999999"),
        (400, "Transfer-Encoding: chunked, identity"),
        (400, "Transfer-Encoding: identity"),
        (400, "X-Folded: a\r\n b"),
        (400, "X-Nul: a\0b"),
        (400, "X Space: a"),
        (400, "no colon"),
        (431, &format!("X-Long: {long}")),
        (431, &many),
    ] {
        let mut client = proxy
            .send(&format!("POST /v1/messages HTTP/1.1\r\nHost: HOST\r\n{malformed}\r\n\r\nhello"))
            .await;
        let head = read_head(&mut client).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{malformed:.40}: {head}");
    }
    let reached = tokio::time::timeout(std::time::Duration::from_millis(200), listener.accept()).await;
    assert!(reached.is_err() && proxy.messages().is_empty());
}
