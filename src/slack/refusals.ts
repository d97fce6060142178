/** What Slack's refusals mean for us, by its own words. */

const gone = ['message_not_found', 'cant_update_message', 'edit_window_closed', 'thread_not_found'];
const closed = ['channel_not_found', 'not_in_channel', 'is_archived', 'restricted_action', 'no_permission'];
const unfit = ['invalid_blocks', 'invalid_blocks_format', 'msg_too_long', 'msg_blocks_too_long', 'metadata_too_large'];
const ours = [
  ...['invalid_auth', 'not_authed', 'token_expired', 'token_revoked', 'account_inactive', 'org_login_required'],
  ...['missing_scope', 'ekm_access_denied', 'team_access_not_granted', 'not_allowed_token_type', 'team_added_to_org'],
];

/** The message is no longer there, or can no longer be edited. */
export const isGone = (word: string): boolean => gone.includes(word);

/** This channel takes no messages of ours. */
export const isClosed = (word: string): boolean => closed.includes(word);

/** The message is not as Slack wants it. */
export const isUnfit = (word: string): boolean => unfit.includes(word);

/** Nothing is wrong with the call: whoever runs the bot has to mend its token or its scopes, and then the same call works. */
export const isOurs = (word: string): boolean => ours.includes(word);
