//! Requests, by API.

use ccxray_proxy::distil::{
    memory::Memory,
    request::{Head, RequestFacts},
};
use ccxray_shared::{
    entry::{MAX_LISTED, Provider, Route},
    key::Key,
};
use hyper::HeaderMap;

/// Anthropic Messages, and the count of its tokens.
pub fn anthropic(body: &[u8]) {
    check(body, Provider::Anthropic, Route::Messages);
    check(body, Provider::Anthropic, Route::CountTokens);
}

/// OpenAI Responses.
pub fn responses(body: &[u8]) {
    check(body, Provider::OpenAi, Route::Responses);
}

/// OpenAI Chat Completions.
pub fn chat(body: &[u8]) {
    check(body, Provider::OpenAi, Route::ChatCompletions);
}

/// Gemini.
pub fn gemini(body: &[u8]) {
    check(body, Provider::Gemini, Route::StreamGenerateContent);
}

/// The same request tells the same to whoever has the same memory; lists in it are short.
fn check(body: &[u8], provider: Provider, route: Route) {
    let (headers, key) = (HeaderMap::new(), Key::from_bytes([7; 32]));
    let read = |memory: &mut Memory| {
        let head = Head { provider, route, path_model: None, headers: &headers };
        let mut facts = RequestFacts::of_head(head, &key);
        facts.add_body(head, &key, body, memory);
        facts
    };
    let mut memory = Memory::default();
    let first = read(&mut memory);
    assert_eq!(read(&mut Memory::default()), first);
    assert!(first.skills.len() <= MAX_LISTED);
    if let Some(results) = &first.results {
        assert!(results.failed_tools.len() <= MAX_LISTED);
        assert!(results.failed <= results.count, "{results:?}");
    }
    let again = read(&mut memory);
    assert_eq!(
        (again.model, again.session, again.stated_dir),
        (first.model, first.session, first.stated_dir)
    );
}
