/** The exit code of a mistake of the user's. */
export const USER_MISTAKE = 2;
