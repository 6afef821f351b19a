//! Receive delivery: keeps what GitHub sent before it is answered.
//!
//! Deliveries that come at the same moment are kept by one transaction, so that a thousand of them wait for a few
//! writes to the disk instead of a thousand.

use super::Context;
use crate::domain::problem::Problem;
use crate::store::{NewDelivery, Received};
use tokio::sync::{mpsc, oneshot};

/// How many deliveries may wait; GitHub is told to come again when there are more.
const WAITING: usize = 4096;

/// How many deliveries one transaction keeps.
const TOGETHER: usize = 256;

type Waiting = (NewDelivery, oneshot::Sender<Result<Received, Problem>>);

/// Where deliveries are handed in; cheap to clone.
#[derive(Clone, Debug)]
pub struct Ledger(mpsc::Sender<Waiting>);

impl Ledger {
    /// Begins to keep deliveries, until every clone is dropped.
    pub fn open(context: Context) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(keep(context, receiver));
        Self(sender)
    }

    /// Keeps a delivery; when this returns, it is on the disk.
    pub async fn receive(&self, delivery: NewDelivery) -> Result<Received, Problem> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send((delivery, answer)).map_err(|_| Problem::UNAVAILABLE)?;
        answered.await.unwrap_or(Err(Problem::UNAVAILABLE))
    }
}

async fn keep(context: Context, mut receiver: mpsc::Receiver<Waiting>) {
    let mut together = Vec::with_capacity(TOGETHER);
    while receiver.recv_many(&mut together, TOGETHER).await > 0 {
        let (deliveries, answers): (Vec<_>, Vec<_>) = together.drain(..).unzip();
        match write(&context, &deliveries).await {
            Ok(received) => {
                for (answer, received) in answers.into_iter().zip(received) {
                    // Whoever asked may have gone; it is kept all the same.
                    let _ = answer.send(Ok(received));
                }
                context.delivered.notify_one();
            }
            Err(problem) => {
                tracing::error!(count = deliveries.len(), ?problem, "cannot keep deliveries");
                for answer in answers {
                    let _ = answer.send(Err(problem.clone()));
                }
            }
        }
    }
}

async fn write(context: &Context, deliveries: &[NewDelivery]) -> Result<Vec<Received>, Problem> {
    let mut writing = context.store.write().await?;
    let mut received = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        received.push(writing.receive_delivery(delivery, context.now()).await?);
    }
    writing.deliveries_came(context.now()).await?;
    writing.commit().await?;
    Ok(received)
}
