//! The log of one step: its last lines, in the colours that the program gave them; while the step lasts, new ones come
//! as they are printed. Text is only ever text here: nothing a program prints can become part of the page.

use super::api;
use super::live::use_live;
use super::view::LogView;
use crate::domain::log_line::{Color, LogLine, Style};
use leptos::html::Div;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// How many lines a page keeps; older ones leave it, and stay in the whole log.
const KEPT: usize = 2000;
/// How many bytes of text a page keeps, if that is less.
const KEPT_BYTES: usize = 1024 * 1024;

/// A log, open.
#[component]
pub fn LogPanel(stack: String, run: String, position: i64, log: LogView) -> impl IntoView {
    let whole = format!("/stack/{stack}/run/{run}/log/{position}");
    let address = format!("/stack/{stack}/run/{run}");
    let live = use_live();
    let first = RwSignal::new(log.first);
    let lines = RwSignal::new(log.lines);
    let follow = RwSignal::new(true);
    let panel = NodeRef::<Div>::new();
    let reading = StoredValue::new(false);
    Effect::new(move |before: Option<u32>| {
        let news = live.log.get();
        if before.is_some_and(|before| before != news) && !reading.get_value() {
            reading.set_value(true);
            let (stack, run) = (stack.clone(), run.clone());
            spawn_local(async move {
                catch_up(stack, run, position, first, lines).await;
                reading.try_set_value(false);
            });
        }
        news
    });
    Effect::new(move |_| {
        lines.track();
        if follow.get()
            && let Some(panel) = panel.get()
        {
            panel.set_scroll_top(panel.scroll_height());
        }
    });
    view! {
        <div class="log-head">
            {move || {
                (first.get() > 0).then(|| view! { <span>{format!("{} earlier lines are in ", first.get())}</span> })
            }}
            <a href=whole rel="external">"the whole log"</a>
            <label class="with-script">
                <input
                    type="checkbox"
                    checked=true
                    on:change=move |event| follow.set(event_target_checked(&event))
                />
                "Follow"
            </label>
            <a href=format!("{address}?log=-1")>"Hide log"</a>
        </div>
        <div class="log" role="log" aria-live="off" aria-label="Log" tabindex="0" node_ref=panel>
            <For each=move || numbered(first.get(), lines.get()) key=|(number, _)| *number let((_, line))>
                <Line line />
            </For>
        </div>
    }
}

fn numbered(first: i64, lines: Vec<LogLine>) -> Vec<(i64, LogLine)> {
    (first..).zip(lines).collect()
}

/// Reads what has been printed since.
async fn catch_up(stack: String, run: String, position: i64, first: RwSignal<i64>, lines: RwSignal<Vec<LogLine>>) {
    loop {
        let (Some(begin), Some(count)) = (first.try_get_untracked(), lines.try_with_untracked(Vec::len)) else {
            return;
        };
        let next = begin + i64::try_from(count).unwrap_or(0);
        // A log that cannot be read now is read with the next news.
        let Ok(more) = api::log(stack.clone(), run.clone(), position, next).await else { return };
        if more.lines.is_empty() {
            return;
        }
        let mut dropped = 0;
        lines.try_update(|lines| {
            lines.extend(more.lines);
            dropped = surplus(lines);
            lines.drain(..dropped);
        });
        first.try_set(begin + i64::try_from(dropped).unwrap_or(0));
    }
}

/// How many of these lines, oldest first, are more than a page keeps.
fn surplus(lines: &[LogLine]) -> usize {
    let bytes = |line: &LogLine| line.spans.iter().map(|span| span.text.len()).sum::<usize>();
    let sums = lines.iter().rev().scan(0, |sum, line| {
        *sum += bytes(line);
        Some(*sum)
    });
    lines.len() - sums.take(KEPT).take_while(|sum| *sum <= KEPT_BYTES).count().max(1).min(lines.len())
}

#[component]
fn Line(line: LogLine) -> impl IntoView {
    view! {
        <div>
            {line
                .spans
                .into_iter()
                .map(|span| view! { <span class=classes(&span.style)>{span.text}</span> })
                .collect_view()}
        </div>
    }
}

fn classes(style: &Style) -> Option<String> {
    let mut classes = Vec::new();
    for (on, name) in
        [(style.bold, "bold"), (style.dim, "dim"), (style.italic, "italic"), (style.underline, "underline")]
    {
        if on {
            classes.push(name.to_owned());
        }
    }
    // Every color is one to be read on the dark surface, so that what stands on one is dark, whatever its own color.
    let behind = match style.reverse {
        true => Some(style.color.map_or("text", Color::name)),
        false => style.background.map(Color::name),
    };
    match behind {
        Some(name) => classes.push(format!("on-{name}")),
        None => classes.extend(style.color.map(|color| format!("ansi-{}", color.name()))),
    }
    (!classes.is_empty()).then(|| classes.join(" "))
}
