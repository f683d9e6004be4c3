export const TEXT_NAME =
  /^(text|texts|sentence|message|body|content|review|comment|document|utterance|tweet|title|question|description|nachricht|beschreibung|kommentar)$/i;
