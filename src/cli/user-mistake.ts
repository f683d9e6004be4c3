/** The exit code for a user's mistake. */
export const USER_MISTAKE = 2;
