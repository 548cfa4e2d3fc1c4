//! Answers that are made while they are sent: each piece of one says that its connection is alive.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

use super::connections::Connection;

/// The same body; where its length is not known beforehand, its connection learns of each piece.
pub(super) fn watched<B: MessageBody + 'static>(body: B, connection: Option<Arc<Connection>>) -> BoxBody {
    match (body.size(), connection) {
        (BodySize::Stream, Some(connection)) => BoxBody::new(Sending { body: body.boxed(), connection }),
        _ => body.boxed(),
    }
}

struct Sending {
    body: BoxBody,
    connection: Arc<Connection>,
}

impl MessageBody for Sending {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let Self { body, connection } = self.get_mut();
        let next = Pin::new(body).poll_next(context);
        match &next {
            Poll::Pending => {}
            Poll::Ready(Some(_)) => connection.send(),
            Poll::Ready(None) => connection.end(),
        }
        next
    }
}
