/** The webhooks that Headway handles: per event its actions, or `null` for an event without actions. */
export const handled = {
  ping: null,
  push: null,
  pull_request: ["opened", "synchronize", "closed", "reopened", "edited", "converted_to_draft", "ready_for_review"],
  check_run: ["created", "completed", "requested_action", "rerequested"],
  check_suite: ["requested", "rerequested", "completed"],
  installation: ["created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"],
  installation_repositories: ["added", "removed"],
  repository: ["renamed", "transferred", "deleted"],
};
