//! Bodies and heads pass as they are.

use ccxray_shared::entry::Outcome;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{
    Proxy, accept, dechunk, has_header, names, read_head, read_past, read_rest, soon, upstream,
};

const GET: &str = "GET /v1/models HTTP/1.1\r\nHost: HOST\r\nx-api-key: k\r\nConnection: close\r\n\r\n";

/// Bytes without a pattern that a length of buffer could hide in.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let step = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(step).take(len).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_an_answer_passes_as_it_was_written() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.send(&GET.replace("Connection: close\r\n", "")).await;
    let mut server = accept(&listener).await;
    read_head(&mut server).await;
    let answer = "HTTP/1.1 200 Fine By Me\r\nContent-TYPE: text/plain\r\nX-MiXed: a\r\nx-twice: 1\r\nx-twice: 2\r\nContent-Length: 5\r\n\r\nhello";
    server.write_all(answer.as_bytes()).await.unwrap();
    assert_eq!(read_past(&mut client, "hello").await, answer);
    let closing = proxy.closing().await;
    assert_eq!((closing.outcome, closing.response_bytes), (Outcome::Complete, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_a_request_passes_but_for_the_host() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let request = "POST /v1/messages?beta=true HTTP/1.1\r\nHost: HOST\r\nX-Api-Key: k\r\nUser-Agent: u\r\nanthropic-BETA: a,b\r\nContent-Length: 2\r\n\r\n{}";
    let _client = proxy.send(request).await;
    let mut server = accept(&listener).await;
    let seen = read_past(&mut server, "{}").await;
    assert_eq!(seen, request.replace("HOST", &address.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_chunk_goes_out_before_the_next_one_comes() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.send(GET).await;
    let mut server = accept(&listener).await;
    read_head(&mut server).await;
    server.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
    read_head(&mut client).await;
    for n in 0..20 {
        let event = format!("data: {n}\n\n");
        server.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await.unwrap();
        read_past(&mut client, &event).await;
    }
    server.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(read_rest(&mut client).await, b"\r\n0\r\n\r\n");
    assert_eq!(proxy.closing().await.outcome, Outcome::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_are_equal_at_both_ends() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let content = noise(3 << 20);
    for chunked in [false, true] {
        let length = if chunked {
            "Transfer-Encoding: chunked".into()
        } else {
            format!("Content-Length: {}", content.len())
        };
        let head =
            format!("POST /v1/messages HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n{length}\r\n\r\n");
        let body = if chunked { chunks(&content) } else { content.clone() };
        let client = proxy.send(&head).await;
        let (mut from_proxy, mut to_proxy) = client.into_split();
        let sent = body.clone();
        let sending = tokio::spawn(async move {
            to_proxy.write_all(&sent).await.unwrap();
            to_proxy
        });
        let mut server = accept(&listener).await;
        read_head(&mut server).await;
        let uploaded = if chunked {
            let read = read_past_bytes(&mut server, b"\r\n0\r\n\r\n").await;
            dechunk(&read).unwrap().0
        } else {
            let mut read = vec![0; content.len()];
            soon(server.read_exact(&mut read)).await.unwrap();
            read
        };
        assert!(uploaded == content, "the upload differs (chunked: {chunked})");
        server.write_all(format!("HTTP/1.1 200 OK\r\n{length}\r\n\r\n").as_bytes()).await.unwrap();
        let answering = tokio::spawn(async move { server.write_all(&body).await.map(|()| server) });
        read_head(&mut from_proxy).await;
        let read = read_rest(&mut from_proxy).await;
        let downloaded = if chunked { dechunk(&read).unwrap().0 } else { read };
        assert!(downloaded == content, "the answer differs (chunked: {chunked})");
        let closing = proxy.closing().await;
        assert_eq!((closing.request_bytes, closing.response_bytes), (3 << 20, 3 << 20));
        drop((sending.await.unwrap(), answering.await.unwrap()));
    }
}

fn chunks(content: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (i, chunk) in content.chunks(70_001).enumerate() {
        // Chunks of one byte between the large ones.
        for part in [&chunk[..1], &chunk[1..]] {
            body.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
            body.extend_from_slice(part);
            body.extend_from_slice(b"\r\n");
        }
        assert!(chunk.len() > 1, "chunk {i}");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    body
}

async fn read_past_bytes(stream: &mut tokio::net::TcpStream, end: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        assert_ne!(soon(stream.read_buf(&mut read)).await.unwrap(), 0, "the stream ended too early");
    }
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn announced_trailers_pass_in_both_directions() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy
        .send("POST /v1/messages HTTP/1.1\r\nHost: HOST\r\nTE: trailers\r\nConnection: close, TE\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-sum: 7\r\n\r\n")
        .await;
    let mut server = accept(&listener).await;
    let head = read_head(&mut server).await;
    assert!(has_header(&head, "TE: trailers") && has_header(&head, "Trailer: x-sum"), "{head}");
    assert_eq!(read_past(&mut server, "\r\n\r\n").await, "1\r\na\r\n0\r\nx-sum: 7\r\n\r\n");
    server
        .write_all(b"HTTP/1.1 200 OK\r\nTrailer: x-cost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\nx-cost: 9\r\n\r\n")
        .await
        .unwrap();
    read_head(&mut client).await;
    assert_eq!(read_rest(&mut client).await, b"1\r\nb\r\n0\r\nx-cost: 9\r\n\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_100_gets_it_and_the_upstream_never_hears_of_it() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy
        .send("POST /v1/messages HTTP/1.1\r\nHost: HOST\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!(read_head(&mut client).await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"body").await.unwrap();
    let mut server = accept(&listener).await;
    let seen = read_past(&mut server, "body").await;
    assert!(!names(&seen, "expect"), "{seen}");
    server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    assert!(read_rest(&mut client).await.ends_with(b"\r\n\r\nok"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_hint_does_no_harm() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.send(GET).await;
    let mut server = accept(&listener).await;
    read_head(&mut server).await;
    let hint = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    server.write_all([hint, hint, answer].concat().as_bytes()).await.unwrap();
    let head = read_head(&mut client).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert_eq!(read_rest(&mut client).await, b"ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_a_body_leave_the_connection_usable() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.connect().await;
    let mut server = None;
    for (method, answer) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n"),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ] {
        let request =
            format!("{method} /v1/models HTTP/1.1\r\nHost: {}\r\nx-api-key: k\r\n\r\n", proxy.address);
        client.write_all(request.as_bytes()).await.unwrap();
        let server = match &mut server {
            Some(server) => server,
            none => none.insert(accept(&listener).await),
        };
        read_head(server).await;
        server.write_all(answer.as_bytes()).await.unwrap();
        assert_eq!(read_head(&mut client).await, answer);
        let closing = proxy.closing().await;
        assert_eq!((closing.outcome, closing.response_bytes), (Outcome::Complete, 0), "{method} {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_ends_with_its_connection_ends_cleanly() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.send(GET).await;
    let mut server = accept(&listener).await;
    read_head(&mut server).await;
    server.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it").await.unwrap();
    drop(server);
    read_head(&mut client).await;
    assert_eq!(dechunk(&read_rest(&mut client).await).unwrap().0, b"all of it");
    assert_eq!(proxy.closing().await.outcome, Outcome::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_two_lengths_loses_the_stated_one() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.send(GET).await;
    let mut server = accept(&listener).await;
    read_head(&mut server).await;
    server
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        .await
        .unwrap();
    let head = read_head(&mut client).await;
    assert!(!names(&head, "content-length"), "{head}");
    assert_eq!(dechunk(&read_rest(&mut client).await).unwrap().0, b"hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_slows_the_upstream_down() {
    let (listener, address) = upstream().await;
    let proxy = Proxy::before(address).await;
    let mut client = proxy.send(GET).await;
    let mut server = accept(&listener).await;
    read_head(&mut server).await;
    let total: usize = 256 << 20;
    server.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n\r\n").as_bytes()).await.unwrap();
    read_head(&mut client).await;
    // Nobody reads: what the upstream can get rid of is what the buffers on the way hold.
    let block = vec![0; 1 << 20];
    let mut written = 0;
    while written < total {
        match tokio::time::timeout(std::time::Duration::from_millis(500), server.write(&block)).await {
            Ok(n) => written += n.unwrap(),
            Err(_) => break,
        }
    }
    assert!(written < 64 << 20, "{written} bytes went into somebody's memory");
}
