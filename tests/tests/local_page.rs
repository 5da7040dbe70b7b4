//! The local page shows what is pushed, and only to those who may see it.

use ccxray_tests::{
    World,
    client::{Ask, Client, Conversation, SESSION},
    exposition,
    upstream::{Answer, Message, Usage, script::in_order},
};
use serde_json::json;

const OPUS: &str = "claude-opus-4-8";

async fn world_with_traffic() -> World {
    let calls = Message::of(OPUS).tool("Bash", json!({"command": "ls"})).usage(Usage::sample(1));
    let answers = [calls.streamed(), Answer::overloaded(), Message::of(OPUS).text("Done.").whole()];
    let world = World::start(in_order(answers)).await;
    let mut conversation = Conversation::new(SESSION, OPUS);
    conversation.say("Do it.");
    for _ in 0..3 {
        world.client.ask(&conversation.ask()).await;
    }
    world.settled().await;
    world
}

#[tokio::test]
async fn a_scrape_says_what_is_pushed() {
    let world = world_with_traffic().await;
    let scrape = Client::new(&world.exporter.url()).ask(&Ask::get("/metrics")).await;
    assert_eq!(scrape.status, 200);
    assert!(scrape.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")));
    let text = String::from_utf8(scrape.body).expect("a scrape is text");
    assert_eq!(exposition::totals(&text), world.collector.totals(), "{text}");
}

#[tokio::test]
async fn it_says_that_it_lives_and_has_a_page_for_people() {
    let world = world_with_traffic().await;
    let client = Client::new(&world.exporter.url());
    for path in ["/-/healthy", "/-/ready"] {
        assert_eq!(client.ask(&Ask::get(path)).await.status, 200, "{path}");
    }
    let page = client.ask(&Ask::get("/")).await;
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    let html = String::from_utf8(page.body).expect("a page is text");
    for elsewhere in ["src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!html.contains(elsewhere), "the page loads nothing from elsewhere: {elsewhere}");
    }
    assert_eq!(client.ask(&Ask::get("/no-such-page")).await.status, 404);
}

#[tokio::test]
async fn other_names_and_other_origins_are_refused() {
    let world = world_with_traffic().await;
    let client = Client::new(&world.exporter.url());
    let port = world.exporter.url().rsplit(':').next().unwrap_or_default().to_owned();
    let foreign_hosts =
        ["evil.example".to_owned(), format!("evil.example:{port}"), format!("127.0.0.1.evil.example:{port}")];
    for path in ["/", "/metrics"] {
        for host in &foreign_hosts {
            let answered = client.fresh().ask(&Ask::get(path).header("host", host)).await;
            assert!((400..500).contains(&answered.status), "{path} for host {host}: {}", answered.status);
            assert!(!String::from_utf8_lossy(&answered.body).contains("ccxray_"));
        }
        let answered = client.ask(&Ask::get(path).header("origin", "https://evil.example")).await;
        assert_eq!(answered.status, 403, "{path} for a foreign origin");
        let named = client.ask(&Ask::get(path).header("host", &format!("localhost:{port}"))).await;
        assert_eq!(named.status, 200, "{path} under our own name");
    }
}

#[tokio::test]
async fn the_proxy_refuses_them_too_and_passes_nothing_on() {
    let world = World::start(in_order([])).await;
    let refused = [
        Ask::simple("Hi").header("host", "evil.example"),
        Ask::simple("Hi").header("origin", "https://evil.example"),
    ];
    for ask in refused {
        let answered = world.client.fresh().ask(&ask).await;
        assert!((400..500).contains(&answered.status), "{ask:?}: {}", answered.status);
    }
    assert!(world.upstream.ledger().is_empty());
}
