//! Why a resource is replaced, deleted, forgotten or read: the `action_reason` of its change, as a sentence.

/// The longest unknown reason that is repeated, in characters.
const LIMIT: usize = 100;

/// The sentence for an `action_reason`; one that a newer program invented is repeated in its own words.
pub(super) fn sentence(reason: &str) -> String {
    match reason {
        "replace_because_cannot_update" => "A change cannot be made in place.".into(),
        "replace_because_tainted" => "It is tainted: an earlier run may have left it damaged.".into(),
        "replace_by_request" => "Its replacement was asked for.".into(),
        "replace_by_triggers" => "Something that it names in replace_triggered_by changes.".into(),
        "delete_because_no_resource_config" => "It is no longer in the configuration.".into(),
        "delete_because_no_module" => "Its module is no longer in the configuration.".into(),
        "delete_because_wrong_repetition" => "Its address no longer fits the configuration's count or for_each.".into(),
        "delete_because_count_index" => "Its index is out of the range of count.".into(),
        "delete_because_each_key" => "Its key is no longer in for_each.".into(),
        "delete_because_no_move_target" => "It was moved to an address that is not in the configuration.".into(),
        "delete_because_enabled_false" => "The configuration has it disabled.".into(),
        "forgot_because_lifecycle_destroy_in_state" | "forgot_because_lifecycle_destroy_in_config" => {
            "Its lifecycle says that it must not be destroyed.".into()
        }
        "read_because_config_unknown" => "What it reads depends on values that are known after the apply.".into(),
        "read_because_dependency_pending" => "It depends on a resource that this plan changes.".into(),
        "read_because_check_nested" => "It belongs to a check, and those are made after the apply.".into(),
        other => format!("The reason given: {}.", other.replace('_', " ").chars().take(LIMIT).collect::<String>()),
    }
}
