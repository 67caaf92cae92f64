//! Events: a time, a step and a summary. Numbers of fields are those of TensorFlow's `event.proto` and `summary.proto`.

use super::super::protobuf::Message;

/// The event that begins a file.
pub(super) fn version(time: f64) -> Vec<u8> {
    Message::new().double(1, time).text(3, "brain.Event:2").into_bytes()
}

/// A number at an epoch.
pub(super) fn scalar(tag: &str, epoch: u32, value: f64, time: f64) -> Vec<u8> {
    let value = Message::new().text(1, tag).float(2, value as f32);
    summary(&value, epoch, time)
}

/// What a plugin reads: its content beside an empty tensor.
pub(super) fn plugin(tag: &str, plugin: &str, content: Message, time: f64) -> Vec<u8> {
    const FLOAT: i64 = 1;
    let data = Message::new().text(1, plugin).bytes(2, &content.into_bytes());
    let metadata = Message::new().message(1, &data);
    let no_entries = Message::new().message(2, &Message::new().int(1, 0));
    let tensor = Message::new().int(1, FLOAT).message(2, &no_entries);
    let value = Message::new().text(1, tag).message(8, &tensor).message(9, &metadata);
    summary(&value, 0, time)
}

fn summary(value: &Message, epoch: u32, time: f64) -> Vec<u8> {
    Message::new()
        .double(1, time)
        .int(2, i64::from(epoch))
        .message(5, &Message::new().message(1, value))
        .into_bytes()
}
