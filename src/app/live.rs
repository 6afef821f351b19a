//! Live pages: a page listens to the server's events and reads itself anew when something it shows has changed. The
//! connection mends itself; until it has, the page says that it may be out of date. Times on it go on meanwhile.
//!
//! A page that nobody sees listens to nothing: a browser has six connections to a server that speaks plain HTTP/1.1, and
//! six open tabs would use them up.

use crate::domain::Timestamp;
use crate::domain::problem::Problem;
use crate::domain::run_state::RunState;
use leptos::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a page listens to.
#[derive(Clone, Copy, Debug)]
pub struct Live {
    /// Counts the changes: whoever reads it is run anew.
    pub changed: RwSignal<u32>,
    /// Counts the news of the log that is shown.
    pub log: RwSignal<u32>,
    /// Whether the connection is lost.
    pub lost: RwSignal<bool>,
    /// Whether the page was to be read anew and nobody answered.
    unanswered: RwSignal<bool>,
    /// Counts the seconds since the page came alive.
    seconds: RwSignal<i64>,
}

impl Live {
    fn new() -> Self {
        Self {
            changed: RwSignal::new(0),
            log: RwSignal::new(0),
            lost: RwSignal::new(false),
            unanswered: RwSignal::new(false),
            seconds: RwSignal::new(0),
        }
    }

    /// The present moment, as it goes on from the one at which the server rendered this.
    pub fn now(self, rendered: Timestamp) -> impl Fn() -> Timestamp + Copy + Send + Sync + 'static {
        let (seconds, begun) = (self.seconds, self.seconds.get_untracked());
        // No signal of its own: a part of the page that has just been replaced may look once more.
        move || Timestamp(rendered.0 + (seconds.get() - begun) * 1000)
    }
}

/// Gives all pages the same signals.
pub fn provide_live() {
    let live = Live::new();
    // Without a timer the times stand still, as they do without a script.
    #[cfg(feature = "hydrate")]
    let _ = set_interval(move || live.seconds.update(|seconds| *seconds += 1), std::time::Duration::from_secs(1));
    provide_context(live);
}

/// The signals.
pub fn use_live() -> Live {
    use_context::<Live>().unwrap_or_else(Live::new)
}

/// How often to ask again for an answer that cannot be read.
const TRIES: u32 = 3;

/// Whether there may be an answer when it is asked for again. One that cannot be read may have broken off on the way, or
/// comes from a Headway that is newer than the page.
fn may_come<T>(answer: &Result<T, Problem>, times: u32) -> bool {
    matches!(answer, Err(Problem::Unanswered)) || (matches!(answer, Err(Problem::Malformed)) && times < TRIES)
}

/// Reads what a page shows, anew whenever some of it has changed. `key` says what it shows.
///
/// A page that shows it already and gets no answer stays as it is, says that it may be out of date, and asks again until
/// somebody answers or something else is to be shown.
pub fn read<K, T, R>(
    key: impl Fn() -> K + Clone + Send + Sync + 'static,
    read: impl Fn(K) -> R + Clone + Send + Sync + 'static,
) -> Resource<Result<T, Problem>>
where
    K: Clone + PartialEq + Send + Sync + 'static,
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    R: Future<Output = Result<T, Problem>> + Send + 'static,
{
    let live = use_live();
    let shown = StoredValue::new(None::<K>);
    let (source, now) = (key.clone(), key.clone());
    let page = Resource::new(
        move || (source(), live.changed.get()),
        move |(asked, _)| {
            let (now, read) = (now.clone(), read.clone());
            // Nothing is shown by a page that has gone meanwhile.
            let shows = move |asked: &K| shown.try_with_value(|shown| shown.as_ref() == Some(asked)) == Some(true);
            async move {
                for times in 1.. {
                    let answer = read(asked.clone()).await;
                    let stays = shows(&asked) && untrack(&now) == asked && may_come(&answer, times);
                    live.unanswered.try_set(stays);
                    if stays {
                        #[cfg(feature = "hydrate")]
                        browser::pause(browser::PAUSE).await;
                    }
                    if !stays || !shows(&asked) || untrack(&now) != asked {
                        shown.try_set_value(answer.is_ok().then_some(asked));
                        return answer;
                    }
                }
                Err(Problem::Unanswered)
            }
        },
    );
    on_cleanup(move || {
        live.unanswered.try_set(false);
    });
    // The server has read it before the page came alive.
    Effect::new(move |before: Option<()>| {
        if page.with(|page| matches!(page, Some(Ok(_)))) && before.is_none() {
            shown.set_value(Some(untrack(&key)));
        }
    });
    page
}

/// Listens while it is on the page. `topic` is the query of `/events`; without JavaScript the page reloads by itself
/// every few seconds while `active`.
#[component]
pub fn Listen(#[prop(into)] topic: Signal<String>) -> impl IntoView {
    let live = use_live();
    #[cfg(feature = "hydrate")]
    browser::listen(topic, live);
    #[cfg(not(feature = "hydrate"))]
    let _ = topic;
    view! {
        <p class="banner lost" role="status" hidden=move || !live.lost.get() && !live.unanswered.get()>
            "The connection to Headway is lost. This page may be out of date; it reconnects by itself."
        </p>
    }
}

/// Whether a run goes on without anybody. One that waits for a person does not, and a page that reloads under their
/// hands would take the focus away.
pub fn moves(state: RunState) -> bool {
    !state.is_terminal() && state != RunState::Unconfirmed
}

/// Lets a page reload by itself where no script can refresh it.
#[component]
pub fn Reload(active: bool) -> impl IntoView {
    active.then(|| view! { <noscript inner_html="<meta http-equiv=\"refresh\" content=\"3\">"></noscript> })
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::Live;
    use futures::StreamExt as _;
    use futures::future::{AbortHandle, Abortable, Either, select};
    use gloo_net::eventsource::State;
    use gloo_net::eventsource::futures::EventSource;
    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    /// News that come close together are answered once.
    const TOGETHER: Duration = Duration::from_millis(80);

    /// How often to look whether the connection stands.
    const WATCH: Duration = Duration::from_secs(1);

    /// How long to wait before a connection that the browser has given up is opened anew, and before asking again.
    pub const PAUSE: Duration = Duration::from_secs(2);

    pub fn listen(topic: Signal<String>, live: Live) {
        let seen = seen();
        Effect::new(move |_| {
            let address = format!("/events?{}", topic.get());
            // Seen again, the page reads itself anew at the first `hello`.
            if !seen.get() {
                return;
            }
            let (abort, registration) = AbortHandle::new_pair();
            spawn_local(async move {
                let _ = Abortable::new(stay_connected(address, live), registration).await;
            });
            on_cleanup(move || abort.abort());
        });
    }

    /// Whether somebody may see the page: not while it is in the background, nor while it is kept for the way back.
    fn seen() -> Memo<bool> {
        let hidden = RwSignal::new(document().hidden());
        let left = RwSignal::new(false);
        let listeners = [
            window_event_listener_untyped("visibilitychange", move |_| hidden.set(document().hidden())),
            window_event_listener_untyped("pagehide", move |_| left.set(true)),
            window_event_listener_untyped("pageshow", move |_| left.set(false)),
        ];
        on_cleanup(move || listeners.into_iter().for_each(WindowListenerHandle::remove));
        Memo::new(move |_| !hidden.get() && !left.get())
    }

    async fn stay_connected(address: String, live: Live) {
        loop {
            follow(&address, live).await;
            live.lost.set(true);
            pause(PAUSE).await;
        }
    }

    /// Follows one connection until the browser has given it up.
    async fn follow(address: &str, live: Live) {
        let Ok(mut source) = EventSource::new(address) else { return };
        let names = ["hello", "changed", "log"];
        let Ok(streams) = names.map(|name| source.subscribe(name)).into_iter().collect::<Result<Vec<_>, _>>() else {
            return;
        };
        let mut news = futures::stream::select_all(streams);
        let (changed, log) = (Once::new(live.changed), Once::new(live.log));
        loop {
            match select(news.next(), Box::pin(pause(WATCH))).await {
                // The page was rendered a moment before the first `hello`, and nothing tells what happened between.
                Either::Left((Some(Ok((name, _))), _)) => {
                    live.lost.set(false);
                    if name != "log" {
                        changed.soon();
                    }
                    if name != "changed" {
                        log.soon();
                    }
                }
                Either::Left((Some(Err(_)) | None, _)) => return,
                // While the browser reconnects by itself, nobody is told of it; so look.
                Either::Right(_) => match source.state() {
                    State::Open => live.lost.set(false),
                    State::Connecting => live.lost.set(true),
                    State::Closed => return,
                },
            }
        }
    }

    /// Counts a signal up once for all the news that come close together.
    #[derive(Clone)]
    struct Once {
        signal: RwSignal<u32>,
        waiting: Rc<Cell<bool>>,
    }

    impl Once {
        fn new(signal: RwSignal<u32>) -> Self {
            Self { signal, waiting: Rc::default() }
        }

        fn soon(&self) {
            if !self.waiting.replace(true) {
                let (signal, waiting) = (self.signal, self.waiting.clone());
                // Without a timer there is nobody to tell either.
                let _ = set_timeout(
                    move || {
                        waiting.set(false);
                        signal.try_update(|count| *count += 1);
                    },
                    TOGETHER,
                );
            }
        }
    }

    pub async fn pause(duration: Duration) {
        let (sender, receiver) = futures::channel::oneshot::channel();
        let _ = set_timeout(
            move || {
                // Whoever waited may be gone.
                let _ = sender.send(());
            },
            duration,
        );
        let _ = receiver.await;
    }
}
