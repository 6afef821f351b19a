//! The keeper of one working run: renews its lease, and passes on what is asked of it meanwhile.

use super::LEASE;
use super::process::Order;
use crate::commands::Context;
use crate::domain::run::Run;
use crate::store::{Change, StoreError};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Keeps a run until it is dropped.
#[derive(Debug)]
pub struct Keeper {
    orders: watch::Receiver<Order>,
    task: JoinHandle<()>,
}

impl Keeper {
    /// Starts to keep a run that was just claimed.
    pub fn start(context: &Context, run: &Run, shutdown: watch::Receiver<bool>) -> Self {
        let (sender, orders) = watch::channel(Order::Work);
        let task = tokio::spawn(keep(context.clone(), run.clone(), shutdown, sender));
        Self { orders, task }
    }

    /// The orders, for whoever works.
    pub fn orders(&self) -> watch::Receiver<Order> {
        self.orders.clone()
    }

    /// The order that holds now.
    pub fn order(&self) -> Order {
        *self.orders.borrow()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(context: Context, run: Run, mut shutdown: watch::Receiver<bool>, orders: watch::Sender<Order>) {
    let mut changes = context.store.changes();
    let mut renewal = tokio::time::interval(Duration::from_millis(LEASE.unsigned_abs() / 3));
    loop {
        let order = tokio::select! {
            _ = renewal.tick() => renew(&context, &run).await,
            changed = changes.recv() => match changed {
                Ok(Change::Run(_, id)) if id == run.id => stop_requested(&context, &run).await,
                Ok(
                    Change::Run(..)
                    | Change::Stack(_)
                    | Change::Fetch(_)
                    | Change::Log(_)
                    | Change::Github
                    | Change::People,
                ) => Order::Work,
                Err(RecvError::Lagged(_)) => stop_requested(&context, &run).await,
                Err(RecvError::Closed) => return,
            },
            () = ends(&mut shutdown) => Order::Shutdown,
        };
        if order != Order::Work {
            orders.send_replace(order);
            // A lease that is on its way to an end is still renewed: nobody else may take the run meanwhile.
            if order == Order::Lost {
                return;
            }
            loop {
                renewal.tick().await;
                if renew(&context, &run).await == Order::Lost {
                    orders.send_replace(Order::Lost);
                    return;
                }
            }
        }
    }
}

/// Resolves when Headway ends, at once if it is ending already.
async fn ends(shutdown: &mut watch::Receiver<bool>) {
    if shutdown.wait_for(|ends| *ends).await.is_err() {
        // Nobody is left who could say so.
        std::future::pending::<()>().await;
    }
}

async fn renew(context: &Context, run: &Run) -> Order {
    let renewed = async {
        let mut writing = context.store.write().await?;
        writing.renew(&run.id, run.fence, context.now().plus(LEASE)).await?;
        writing.commit().await
    };
    match renewed.await {
        Ok(()) => stop_requested(context, run).await,
        Err(StoreError::Changed) => Order::Lost,
        Err(error) => {
            // A database that is away for a moment is no reason to give up; the lease says when it is.
            tracing::warn!(run.id = %run.id, %error, "cannot renew a lease");
            Order::Work
        }
    }
}

async fn stop_requested(context: &Context, run: &Run) -> Order {
    let asked = async { context.store.read().await?.stop_requested(run).await };
    match asked.await {
        Ok(Some(_)) => Order::Stop,
        Ok(None) => Order::Work,
        Err(StoreError::Changed) => Order::Lost,
        Err(error) => {
            tracing::warn!(run.id = %run.id, %error, "cannot tell whether a run is to stop");
            Order::Work
        }
    }
}
