/** All action.yml files of the repository, one for each folder that a workflow can name. */
export const ACTION_FILES = [
  'action.yml',
  'login/action.yml',
  'wait/action.yml',
  'sweep/action.yml',
  'stop/action.yml',
  'resolve/action.yml',
  'promote/action.yml',
]
