/** What commands ask beside the door, each with gates of its own. The composition root fills it in. */
export type Desks = Readonly<Record<never, never>>;
