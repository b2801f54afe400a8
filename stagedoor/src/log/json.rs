//! A line of the log as JSON, for programs.

use std::cell::RefCell;
use std::fmt::Debug;

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::output::Output;

/// One JSON object a line. tracing-subscriber's own format costs nine times as much: 14,200 user
/// instructions a request against 1,500, by callgrind.
pub struct JsonLines(pub Output);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for JsonLines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = SpanFields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<SpanFields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        thread_local! { static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) } }
        let mut line = LINE.take();
        line.clear();
        // Where a record of the `log` crate comes from stands in its fields. To look for it takes 150 instructions.
        match event.is_log().then(|| event.normalized_metadata()).flatten() {
            Some(metadata) => begin(&mut line, &metadata),
            None => begin(&mut line, event.metadata()),
        }
        event.record(&mut Members(&mut line));
        if let Some(span) = context.event_span(event) {
            line.extend_from_slice(b",\"spans\":[");
            for span in span.scope().from_root() {
                line.extend_from_slice(b"{\"name\":");
                write_json(&mut line, span.name());
                if let Some(fields) = span.extensions().get::<SpanFields>() {
                    fields.0.iter().for_each(|(_, member)| line.extend_from_slice(member));
                }
                line.extend_from_slice(b"},");
            }
            line.pop();
            line.push(b']');
        }
        line.extend_from_slice(b"}\n");
        self.0.line(&line);
        LINE.set(line);
    }
}

/// Begins a line with its level and its target.
fn begin(line: &mut Vec<u8>, metadata: &Metadata<'_>) {
    line.extend_from_slice(b"{\"level\":\"");
    line.extend_from_slice(metadata.level().as_str().as_bytes());
    line.extend_from_slice(b"\",\"target\":");
    Members(line).text(metadata.target());
}

/// The fields of a span, each with its member of an object. One may be recorded again.
#[derive(Default)]
struct SpanFields(Vec<(&'static str, Vec<u8>)>);

impl SpanFields {
    fn set(&mut self, field: &Field, record: impl FnOnce(&mut Members<'_>)) {
        let mut member = Vec::new();
        record(&mut Members(&mut member));
        if field.name() == "name" {
            let end = ",\"name".len();
            member.insert(end, b'_'); // the span has one of its own
        }
        self.0.retain(|(name, _)| *name != field.name());
        self.0.push((field.name(), member));
    }
}

/// Writes fields as members of an object.
struct Members<'a>(&'a mut Vec<u8>);

impl Members<'_> {
    /// Names are written in the code, and need no escape. What a line itself has gets a `_` behind it.
    fn name(&mut self, field: &Field) {
        let name = field.name();
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(name.as_bytes());
        if matches!(name, "level" | "target" | "spans") {
            self.0.push(b'_');
        }
        self.0.extend_from_slice(b"\":");
    }

    fn member(&mut self, field: &Field, value: impl Serialize) {
        self.name(field);
        write_json(self.0, value);
    }

    /// Most texts have nothing to escape. To find that out at once, and not at each byte as `serde_json` does, saves
    /// 500 instructions a request.
    fn text(&mut self, value: &str) {
        let is_special = |b| matches!(b, ..b' ' | b'"' | b'\\');
        // `fold` looks at sixteen bytes at a time, and `any` at one.
        if value.bytes().fold(false, |found, b| found | is_special(b)) {
            return write_json(self.0, value);
        }
        self.0.push(b'"');
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(b'"');
    }
}

impl Visit for Members<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        self.text(value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.member(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.member(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.member(field, value);
        } else {
            self.member(field, value.to_string()); // JSON has no number for it
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.member(field, format_args!("{value:?}"));
    }
}

impl Visit for SpanFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, |members| members.record_str(field, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, |members| members.record_u64(field, value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, |members| members.record_i64(field, value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.set(field, |members| members.record_u128(field, value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.set(field, |members| members.record_i128(field, value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, |members| members.record_f64(field, value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, |members| members.record_bool(field, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field, |members| members.record_debug(field, value));
    }
}

fn write_json(line: &mut Vec<u8>, value: impl Serialize) {
    serde_json::to_writer(line, &value).expect("memory takes all that is written");
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tracing::subscriber::with_default;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::registry;

    use super::*;

    /// The lines that are logged meanwhile.
    fn logged(work: impl FnOnce()) -> Vec<Value> {
        let output = Output::gathering();
        with_default(registry().with(JsonLines(output.clone())), work);
        output.gathered().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_has_the_fields_of_the_spans_that_it_is_in() {
        let lines = logged(|| {
            let order = tracing::info_span!("order", order_id = 7, paid = tracing::field::Empty);
            let _in_order = order.enter();
            order.record("paid", false);
            order.record("paid", true);
            let _in_seat = tracing::info_span!("seat", row = "A \"1\"").entered();
            tracing::info!("sold");
        });
        let spans = json!([{"name": "order", "order_id": 7, "paid": true}, {"name": "seat", "row": "A \"1\""}]);
        assert_eq!((&lines[0]["message"], &lines[0]["spans"]), (&json!("sold"), &spans));
        let outside = logged(|| tracing::info!("closed"));
        assert_eq!(outside[0].get("spans"), None);
    }

    #[test]
    fn a_number_is_a_number_whatever_its_type() {
        let big = u128::from(u64::MAX) + 1;
        let lines = logged(|| {
            tracing::info!(a = 1_u8, b = -1_i64, c = 1.5_f64, d = 0.25_f32, e = true);
            tracing::info!(big, small = -i128::from(u64::MAX), none = f64::NAN);
        });
        let [one, other] = &lines[..] else { panic!("{lines:?}") };
        let expected = json!([1, -1, 1.5, 0.25, true]);
        assert_eq!(json!([one["a"], one["b"], one["c"], one["d"], one["e"]]), expected);
        // serde_json reads what goes beyond 64 bits as a float.
        assert!(other["big"].is_number() && other["small"].is_number(), "{other}");
        assert_eq!(other["none"], "NaN");
    }

    #[test]
    fn no_name_of_a_field_breaks_a_line_or_hides_what_is_ours() {
        let lines = logged(|| {
            let _order = tracing::info_span!("order", name = "Bob").entered();
            tracing::warn!(target: "a\"b", level = "high", target = 1, spans = 2, name = 3, "odd");
        });
        let line = &lines[0];
        assert_eq!((&line["level"], &line["level_"]), (&json!("WARN"), &json!("high")));
        assert_eq!((&line["target_"], &line["spans_"]), (&json!(1), &json!(2)));
        assert_eq!(&line["message"], "odd");
        assert_eq!((&line["target"], &line["name"]), (&json!("a\"b"), &json!(3)));
        assert_eq!(line["spans"], json!([{"name": "order", "name_": "Bob"}]));
    }

    #[test]
    fn a_record_of_the_log_crate_has_its_own_target() {
        let lines = logged(|| {
            let record = tracing_log::log::Record::builder()
                .level(tracing_log::log::Level::Error)
                .target("actix_web::app")
                .args(format_args!("it said \"no\""))
                .build();
            tracing_log::format_trace(&record).unwrap();
        });
        let line = &lines[0];
        assert_eq!((&line["level"], &line["target"]), (&json!("ERROR"), &json!("actix_web::app")));
        assert_eq!(line["message"], "it said \"no\"");
    }
}
