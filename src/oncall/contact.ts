/** Somebody of the guide's list of contacts. */
export interface Contact {
  readonly name: string;
  /** What he is there for: `database admin`. */
  readonly role: string;
  /** Slack user id. */
  readonly user?: string | undefined;
  /** Shown only to the roles that the configuration names. */
  readonly phone?: string | undefined;
  /** Absent = of all environments. */
  readonly environments?: readonly string[] | undefined;
}

export function contactsOf(contacts: readonly Contact[], environment: string | null): readonly Contact[] {
  return contacts.filter(
    ({ environments }) => environment === null || environments === undefined || environments.includes(environment),
  );
}
