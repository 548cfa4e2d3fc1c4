//! Reports the chunks of a streamed response to its connection, and ends it when the server stops.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

use super::connections::Connection;
use super::drain::Drain;

/// Wraps a body of unknown length, so that its connection learns of each chunk and a stop of the server ends it; returns
/// other bodies as they are.
pub(super) fn watched<B: MessageBody + 'static>(
    body: B,
    connection: Option<Arc<Connection>>,
    drain: Option<Drain>,
) -> BoxBody {
    match (body.size(), connection, drain) {
        (BodySize::Stream, Some(connection), Some(drain)) => {
            BoxBody::new(WatchedBody { body: body.boxed(), connection, drain })
        }
        _ => body.boxed(),
    }
}

struct WatchedBody {
    body: BoxBody,
    connection: Arc<Connection>,
    drain: Drain,
}

/// Ends a chunked response without its last chunk, so that the client recognizes that it is incomplete.
#[derive(Debug, thiserror::Error)]
#[error("the server stops")]
struct Stopped;

impl MessageBody for WatchedBody {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let Self { body, connection, drain } = self.get_mut();
        if drain.has_ended() {
            return Poll::Ready(Some(Err(Box::new(Stopped))));
        }
        let next = Pin::new(body).poll_next(context);
        match &next {
            Poll::Pending => {}
            Poll::Ready(Some(_)) => connection.on_chunk(),
            Poll::Ready(None) => connection.on_last_chunk(),
        }
        next
    }
}
