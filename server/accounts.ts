/** The ServiceAccount of pods with the api where that stands apart: they alone ask other pods. */
export const API_ACCOUNT = 'deckwatch-api'
