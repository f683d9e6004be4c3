/** The white space of Python's `str.split`, `strip` and `isspace`, for a regular expression's character class. */
export const PYTHON_SPACE =
  '\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
