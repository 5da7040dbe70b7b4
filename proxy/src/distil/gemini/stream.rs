//! An answer in parts: each event, or each element of a JSON array, is a whole response of its own.
//!
//! There is no event that says it is the last one: the answer is over with the part that states a finish reason, or
//! that says the prompt was refused. Usage is cumulative, so the last statement counts.

use std::time::Instant;

use ccxray_shared::{Name, entry::ErrorFacts, usage::Usage};

use super::{
    PARSER,
    content::{Candidate, Content},
};
use crate::distil::{
    answer::{AnswerFacts, if_stated},
    calls::Calls,
    lax::Lax,
    notes::Notes,
    objects::ObjectSplitter,
    sse::Event,
    stream::EventStream,
};

/// Follows an answer.
#[derive(Debug, Default)]
pub(crate) struct ContentStream {
    model: Option<Name<'static>>,
    usage: Usage<'static>,
    stop_reason: Option<Name<'static>>,
    error: Option<ErrorFacts<'static>>,
    calls: Calls,
    first_content: Option<Instant>,
    notes: Notes,
}

impl EventStream for ContentStream {
    fn event(&mut self, event: Event<'_>, at: Instant) {
        match serde_json::from_slice::<Lax<Content<'_>>>(event.data) {
            Ok(Lax(Some(content))) => self.take(content, at),
            Ok(Lax(None)) | Err(_) => self.notes.add(PARSER, "bad_event_json"),
        }
    }

    fn finish(self: Box<Self>) -> AnswerFacts {
        let terminal = self.stop_reason.is_some();
        let first_content = self.first_content;
        let mut facts = self.into_facts();
        facts.error.iter_mut().for_each(|error| error.in_stream = true);
        AnswerFacts { streamed: true, terminal: Some(terminal), first_content, ..facts }
    }
}

impl ContentStream {
    fn take(&mut self, content: Content<'_>, at: Instant) {
        let Some(response) = content.response else { return self.take_response(content, at) };
        match serde_json::from_str::<Lax<Content<'_>>>(response.get()) {
            Ok(Lax(Some(response))) => self.take_response(response, at),
            Ok(Lax(None)) | Err(_) => self.notes.add(PARSER, "bad_response"),
        }
    }

    fn take_response(&mut self, content: Content<'_>, at: Instant) {
        self.model = content.model_version.name().or(self.model.take());
        if let Some(usage) = content.usage_metadata.0 {
            self.usage.counts.overwrite_with(&usage.counts());
        }
        if let Some(error) = content.error.0 {
            self.error = Some(error.facts());
        }
        if let Some(refused) = content.prompt_feedback.0.and_then(|feedback| feedback.stop_reason()) {
            self.stop_reason = Some(refused);
        }
        for candidate in content.candidates.0.unwrap_or_default() {
            self.take_candidate(&candidate.0.unwrap_or_default(), at);
        }
    }

    fn take_candidate(&mut self, candidate: &Candidate<'_>, at: Instant) {
        for part in candidate.parts() {
            if part.says_something() {
                self.first_content.get_or_insert(at);
            }
            let Some(function_call) = &part.function_call.0 else { continue };
            self.calls.count();
            let Some(call) = function_call.call() else {
                self.calls.unreadable();
                self.notes.add(PARSER, "tool_without_name");
                continue;
            };
            function_call.teach(&call, &mut self.calls.learnt);
            self.calls.list(call);
        }
        if let Some(reason) = candidate.finish_reason.name() {
            self.stop_reason = Some(reason);
        }
    }

    fn into_facts(self) -> AnswerFacts {
        let (tools, learnt) = self.calls.into_parts();
        AnswerFacts {
            model_served: self.model,
            usage: if_stated(self.usage),
            stop_reason: self.stop_reason,
            error: self.error,
            tools,
            learnt,
            notes: self.notes,
            ..AnswerFacts::default()
        }
    }
}

/// Reads the body of an answer that is not a stream. An error may stand in an array of its own.
pub(crate) fn read_content(body: &[u8]) -> AnswerFacts {
    let (mut splitter, mut whole, at) = (ObjectSplitter::default(), ContentStream::default(), Instant::now());
    let mut objects = 0;
    splitter.feed(body, &mut |object| {
        objects += 1;
        match serde_json::from_slice::<Lax<Content<'_>>>(object) {
            Ok(Lax(Some(content))) => whole.take(content, at),
            Ok(Lax(None)) | Err(_) => whole.notes.add(PARSER, "bad_answer_json"),
        }
    });
    if objects == 0 {
        whole.notes.add(PARSER, "bad_answer_json");
    }
    whole.into_facts()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::distil::stream::testing::{assert_same_however_cut, events, read};

    const TOOLS: &[u8] = include_bytes!("../../../fixtures/content.answer.sse");

    #[test]
    fn a_stream_tells_the_same_however_it_is_cut() {
        assert_same_however_cut::<ContentStream>(TOOLS);
    }

    #[test]
    fn the_first_content_is_the_first_part_that_says_something() {
        let begun = Instant::now();
        let later = begun + Duration::from_secs(1);
        for part in [r#"{"text":"x","thought":true}"#, r#"{"functionCall":{"name":"glob"}}"#] {
            let mut stream = Box::<ContentStream>::default();
            let event = format!(r#"{{"candidates":[{{"content":{{"parts":[{part}]}}}}]}}"#);
            for (at, data) in
                [(begun, r#"{"candidates":[{"content":{"parts":[{"text":""}]}}]}"#), (later, &event)]
            {
                stream.event(Event { name: b"", data: data.as_bytes() }, at);
            }
            assert_eq!(stream.finish().first_content, Some(later));
        }
    }

    #[test]
    fn a_refused_prompt_is_an_end() {
        let facts = events::<ContentStream>(&[r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}"#]);
        assert_eq!(facts.stop_reason.as_deref(), Some("blockReason:PROHIBITED_CONTENT"));
        assert_eq!(facts.terminal, Some(true));
    }

    #[test]
    fn an_error_in_the_stream_is_told_from_one_that_is_the_answer() {
        let error = r#"{"error":{"code":503,"message":"CANARY","status":"UNAVAILABLE"}}"#;
        let array = format!("[{error}]");
        let streamed = events::<ContentStream>(&[error]);
        let bodies = [read_content(error.as_bytes()), read_content(array.as_bytes())];
        for (facts, in_stream) in std::iter::once((streamed, true)).chain(bodies.map(|facts| (facts, false)))
        {
            let error = facts.error.unwrap();
            assert_eq!(
                (error.kind.as_deref(), error.code.as_deref(), error.in_stream),
                (Some("UNAVAILABLE"), Some("503"), in_stream)
            );
        }
    }

    #[test]
    fn a_full_context_is_told_by_the_message() {
        let facts = read_content(br#"{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."}}"#);
        assert!(facts.error.unwrap().context_length);
    }

    #[test]
    fn the_wrapper_of_a_log_in_changes_nothing() {
        let text = str::from_utf8(TOOLS).unwrap();
        let wrapped: String = text
            .lines()
            .map(|line| match line.strip_prefix("data: ") {
                Some(data) => format!("data: {{\"response\":{data},\"traceId\":\"CANARY\"}}\n"),
                None => format!("{line}\n"),
            })
            .collect();
        let at = Instant::now();
        assert_eq!(read::<ContentStream>(&[wrapped.as_bytes()], at), read::<ContentStream>(&[TOOLS], at));
    }

    #[test]
    fn fields_of_other_types_cost_only_themselves() {
        let facts = events::<ContentStream>(&[
            "7",
            r#"{"response":"x"}"#,
            r#"{"modelVersion":[],"candidates":[null,{"content":{"parts":[{"functionCall":{"name":3}},{"functionCall":7},9]},"finishReason":{}}],"usageMetadata":{"promptTokenCount":"1","totalTokenCount":2}}"#,
        ]);
        assert_eq!(facts.usage.unwrap().counts.total_token_count, Some(2));
        let tools = facts.tools.unwrap();
        assert_eq!((tools.blocks, tools.unreadable, tools.calls.len()), (1, 1, 0));
        assert_eq!(facts.terminal, Some(false));
        let reasons: Vec<_> = facts.notes.into_list().iter().map(|note| note.reason.to_string()).collect();
        assert_eq!(reasons, ["bad_event_json", "bad_response", "tool_without_name"]);
    }

    proptest! {
        #[test]
        fn a_spoilt_stream_never_panics(at in 0..TOOLS.len(), with in any::<[u8; 3]>(), end in 0..TOOLS.len()) {
            let mut spoilt = TOOLS.to_vec();
            for (i, byte) in with.into_iter().enumerate() {
                let at = (at + i * i) % spoilt.len();
                spoilt[at] = byte;
            }
            read::<ContentStream>(&[&spoilt], Instant::now());
            read::<ContentStream>(&[&spoilt[..end]], Instant::now());
            read_content(&spoilt);
        }
    }
}
