//! Where the focus goes when the page changes under it: to the content, as a browser would put it with a new page, and
//! never to nothing, where people who use a keyboard or listen would have to begin anew.

use leptos::prelude::*;

/// Sees to the focus when another page, or another piece of it, is shown without a reload.
#[component]
pub fn Focus() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    browser::watch();
}

/// Puts a focus back that was lost because its element waited or went, once the page has changed: to the element if it
/// can have it, else to the content, until it can.
pub fn keep_focus() {
    #[cfg(feature = "hydrate")]
    browser::later(browser::keep);
}

/// Leads a lost focus to the first field that is wrong, or to the message.
pub fn lead_to_problem() {
    #[cfg(feature = "hydrate")]
    browser::later(browser::lead_to_problem);
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::ev;
    use leptos::prelude::*;
    use leptos::wasm_bindgen::JsCast as _;
    use leptos::web_sys::{Element, HtmlElement};
    use leptos_router::hooks::{use_location, use_query_map};
    use std::cell::RefCell;

    /// Which parts of an address lead to another piece of what is shown.
    const PIECES: [&str; 2] = ["from", "before"];

    /// The element around the content of a page, by its id.
    const CONTENT: &str = "main";

    thread_local! {
        /// The element that had the focus last, unless somebody has since pressed on what cannot have it.
        static LAST: RefCell<Option<Element>> = const { RefCell::new(None) };
    }

    pub fn watch() {
        // As long as the document lives.
        let _ = window_event_listener(ev::pointerdown, |_| drop(LAST.take()));
        let _ = window_event_listener(ev::focusin, |_| drop(LAST.replace(document().active_element())));
        let (path, query) = (use_location().pathname, use_query_map());
        Effect::new(move |before: Option<(String, [Option<String>; 2])>| {
            let place = (path.get(), PIECES.map(|piece| query.read().get(piece)));
            // Whoever searches goes on in the form.
            let searches = || before.as_ref().is_some_and(|(before, _)| *before == place.0) && is_in_form();
            if before.as_ref().is_some_and(|before| *before != place) && !searches() {
                focus_content();
            }
            place
        });
    }

    /// Waits until what has changed is drawn. A page that is never drawn has no focus to see to.
    pub fn later(then: fn()) {
        let _ = request_animation_frame(then);
    }

    pub fn keep() {
        let last = LAST.with_borrow(Clone::clone).filter(|_| is_lost());
        if let Some(last) = last {
            focus(&last);
            if is_lost() {
                focus_content();
            }
            // The content has it in the place of that element.
            LAST.set(Some(last));
        }
    }

    pub fn lead_to_problem() {
        let page = document();
        let find = |what: &str| page.query_selector(what).ok().flatten();
        if is_lost()
            && let Some(wrong) = find("main [aria-invalid=true]").or_else(|| find("main .alert"))
        {
            focus(&wrong);
        }
    }

    /// Whether nothing has the focus, or only the content in the place of what lost it.
    fn is_lost() -> bool {
        let Some(active) = document().active_element() else { return true };
        let instead = || LAST.with_borrow(|last| last.as_ref().is_some_and(|last| *last != active));
        active.tag_name() == "BODY" || (active.id() == CONTENT && instead())
    }

    fn is_in_form() -> bool {
        document().active_element().is_some_and(|active| active.closest("form").is_ok_and(|form| form.is_some()))
    }

    fn focus_content() {
        if let Some(main) = document().get_element_by_id(CONTENT) {
            focus(&main);
        }
    }

    /// Puts the focus on an element; one that is gone cannot take it.
    fn focus(element: &Element) {
        if let Some(element) = element.dyn_ref::<HtmlElement>() {
            let _ = element.focus();
        }
    }
}
