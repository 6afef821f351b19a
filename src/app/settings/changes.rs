//! Whether a form holds something else than the page came with.

use leptos::ev;
use leptos::html::Form;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{HtmlFormElement, HtmlInputElement, HtmlOptionElement, HtmlSelectElement, HtmlTextAreaElement};

/// Keeps `changed` true to the form; `alive` says that somebody does.
pub fn watch(form: NodeRef<Form>, alive: RwSignal<bool>, changed: RwSignal<bool>) {
    Effect::new(move |_| {
        let Some(form) = form.get() else { return };
        alive.set(true);
        // On the window, because a form has no listener of its own to add here; every input is looked at.
        let handle = window_event_listener(ev::input, move |_| changed.set(differs(&form)));
        on_cleanup(move || handle.remove());
    });
}

fn differs(form: &HtmlFormElement) -> bool {
    let controls = form.elements();
    (0..controls.length()).filter_map(|index| controls.item(index)).any(|control| {
        if let Some(input) = control.dyn_ref::<HtmlInputElement>() {
            input.checked() != input.default_checked() || input.value() != input.default_value()
        } else if let Some(area) = control.dyn_ref::<HtmlTextAreaElement>() {
            // What stands between the tags is what the area came with.
            area.text_content().as_deref() != Some(area.value().as_str())
        } else if let Some(select) = control.dyn_ref::<HtmlSelectElement>() {
            (0..select.length())
                .filter_map(|index| select.item(index))
                .filter_map(|option| option.dyn_into::<HtmlOptionElement>().ok())
                .any(|option| option.selected() != option.default_selected())
        } else {
            false
        }
    })
}
