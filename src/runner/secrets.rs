//! Secrets of a run: everything that its log, its plan and its notes must not repeat. The values of the stack's secret
//! variables, now and before, the credentials that Headway holds on the way, and what the plan itself marks.

use crate::commands::{Context, fetch};
use crate::domain::plan::{Plan, Value};
use crate::domain::sealed::Place;
use crate::domain::stack::Stack;
use crate::mask::Masker;
use crate::store::{StoreError, Variable};

/// What the stack's secrets held before: its state may hold it still.
async fn earlier_values(context: &Context, stack: &Stack) -> Result<Vec<String>, StoreError> {
    let earlier = context.store.read().await?.earlier_secrets(&stack.id).await?;
    let opened = earlier.into_iter().filter_map(|(id, sealed)| {
        let opened = context.vault.open_text(&Place::earlier_secret(&stack.id, &id), &sealed);
        opened.inspect_err(|error| tracing::error!(stack.id = %stack.id, %error, "cannot open an earlier secret")).ok()
    });
    Ok(opened.collect())
}

/// What hides the secrets of one run.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// Hides all of them.
    pub all: Masker,
    /// Hides what nobody may switch off: the credentials that are not the stack's own.
    pub credentials: Masker,
}

impl Secrets {
    /// Gathers the secrets of a run: its token for the state, its stack's variables, the credential of its repository and
    /// those of the proxies that its programs use.
    pub async fn gather(
        context: &Context,
        stack: &Stack,
        token: &str,
        variables: &[(Variable, String)],
    ) -> Result<Self, StoreError> {
        let mut credentials = vec![token.to_owned()];
        let repository = context.store.read().await?.repository(&stack.repository).await?;
        if let Some(credential) = repository.and_then(|repository| fetch::own_credential(context, &repository)) {
            credentials.extend(credential.split_once(':').map(|(_, password)| password.to_owned()));
            credentials.push(credential);
        }
        credentials.extend(context.github.live_tokens());
        credentials.extend(super::phases::passed_on().filter_map(|(_, value)| {
            let password = url::Url::parse(&value).ok()?.password()?.to_owned();
            Some(password)
        }));
        let earlier = earlier_values(context, stack).await?;
        let of_stack = variables.iter().filter(|(variable, _)| variable.secret).map(|(_, value)| value.clone());
        let all: Vec<String> = credentials.iter().cloned().chain(of_stack).chain(earlier).collect();
        Ok(Self { all: Masker::new(all), credentials: Masker::new(credentials) })
    }

    /// Hides every value of a plan that holds one of them, and masks them in everything else that a plan says.
    pub fn hide_in(&self, plan: &mut Plan) {
        for resource in &mut plan.resources {
            for text in [Some(&mut resource.address), resource.moved_from.as_mut(), resource.imported_as.as_mut()] {
                self.mask_in(text);
            }
            for attribute in &mut resource.attributes {
                self.mask_in(Some(&mut attribute.path));
                self.hide(&mut attribute.before);
                self.hide(&mut attribute.after);
            }
        }
        for output in &mut plan.outputs {
            self.mask_in(Some(&mut output.name));
            self.hide(&mut output.before);
            self.hide(&mut output.after);
        }
    }

    fn mask_in(&self, text: Option<&mut String>) {
        if let Some(text) = text
            && self.all.finds(text)
        {
            *text = self.all.mask(text);
        }
    }

    fn hide(&self, value: &mut Option<Value>) {
        let Some(Value::Known(text)) = value else { return };
        // A value that was cut may have lost the rest of a secret.
        let cut = text.rfind('…').filter(|_| text.chars().count() == Value::LIMIT);
        let begins = || cut.is_some_and(|cut| self.all.may_begin_at_the_end_of(&text[..cut]));
        if self.all.finds(text) || begins() {
            *value = Some(Value::Sensitive);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::domain::log_line::written_out;
    use crate::domain::plan::{Action, OutputChange};

    #[test]
    fn a_value_that_holds_a_secret_is_hidden_whole_and_a_name_is_masked() {
        let output = |name: &str, text: &str| OutputChange {
            name: name.into(),
            action: Action::Create,
            before: None,
            after: Some(Value::Known(text.into())),
        };
        let note = "… (9000 characters)";
        let kept = Value::LIMIT - note.chars().count();
        let cut = format!("{}hunter{note}", "x".repeat(kept - "hunter".len()));
        let harmless = format!("{}{note}", "hunter".repeat(kept)[..kept - "xx".len()].to_owned() + "xx");
        let invisible = "p\u{e4}ss\u{200b}w\u{f6}rt\u{202e}\u{e0041}1".to_owned();
        let quoted = |text: &str| written_out(&serde_json::Value::from(text).to_string());
        let mut plan = Plan {
            outputs: vec![
                output("o", "\"say \\\"hunter2\\\" twice\""),
                output("with-hunter2-in-it", "\"hunter3\""),
                output("o", "{\"a\":\"q\\\"uote\"}"),
                output("o", &cut),
                output("o", &harmless),
                output("o", &quoted(&invisible)),
                output("o", &quoted(&serde_json::json!({ "a": invisible }).to_string())),
            ],
            ..Plan::default()
        };
        let secrets = Secrets { all: Masker::new(["hunter2", "q\"uote", &invisible]), credentials: Masker::default() };
        secrets.hide_in(&mut plan);
        let shown: Vec<bool> = plan.outputs.iter().map(|output| output.after == Some(Value::Sensitive)).collect();
        assert_eq!(shown, [true, false, true, true, false, true, true]);
        assert_eq!(plan.outputs[1].name, "with-••••••-in-it");
        let read = serde_json::to_string(&plan).unwrap();
        assert!(!read.contains("hunter2"));
    }
}
