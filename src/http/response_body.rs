//! Reports the chunks of a streamed response to its connection.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

use super::connections::Connection;

/// Wraps a body of unknown length, so that its connection learns of each chunk; returns other bodies as they are.
pub(super) fn watched<B: MessageBody + 'static>(body: B, connection: Option<Arc<Connection>>) -> BoxBody {
    match (body.size(), connection) {
        (BodySize::Stream, Some(connection)) => BoxBody::new(WatchedBody { body: body.boxed(), connection }),
        _ => body.boxed(),
    }
}

struct WatchedBody {
    body: BoxBody,
    connection: Arc<Connection>,
}

impl MessageBody for WatchedBody {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let Self { body, connection } = self.get_mut();
        let next = Pin::new(body).poll_next(context);
        match &next {
            Poll::Pending => {}
            Poll::Ready(Some(_)) => connection.on_chunk(),
            Poll::Ready(None) => connection.on_last_chunk(),
        }
        next
    }
}
