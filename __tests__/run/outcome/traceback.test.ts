import { expect, test } from '@jest/globals'
import type { Fault } from '../../../src/run/facts.ts'
import { plainLine, readTraceback } from '../../../src/run/outcome/traceback.ts'

/** As ZenML 0.98 prints a failed step into its log. */
const STEP_LOG_RECORD = `An exception has occurred.
RuntimeError: loss is NaN
Traceback (most recent call last):
  File "/srv/lib/python3.11/site-packages/zenml/orchestrators/step_runner.py", line 323, in run
    raise step_exception
  File "/srv/lib/python3.11/site-packages/zenml/orchestrators/step_runner.py", line 259, in run
    return_values = step_instance.call_entrypoint(
                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/lib/python3.11/site-packages/zenml/steps/base_step.py", line 757, in call_entrypoint
    return self.entrypoint(**validated_args)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/pipelines/e2e_pipelines.py", line 42, in train
    raise RuntimeError(fail)
RuntimeError: loss is NaN`

const HEAD = 'Traceback (most recent call last):'
const OWN = '  File "/app/train.py", line 7, in fit\n    total = 1 / 0'

const NAN: Fault = {
  type: 'RuntimeError',
  message: 'loss is NaN',
  frame: 'pipelines/e2e_pipelines.py, line 42, in train',
  code: 'raise RuntimeError(fail)',
}

const CASES: readonly (readonly [string, string, Partial<Record<keyof Fault, unknown>>])[] = [
  ["a failed step's record in the log", STEP_LOG_RECORD, NAN],
  [
    'what 0.98 notes of an exception, without the first line',
    '  File "/srv/pipelines/e2e_pipelines.py", line 42, in train\n    raise RuntimeError(fail)\nRuntimeError: loss is NaN\n',
    NAN,
  ],
  [
    'what 0.85 notes, without the exception, its frames apart',
    '  File "/app/a.py", line 1, in outer\n    inner()\n\n  File "/app/b.py", line 2, in inner\n    raise ValueError(1)\n',
    {
      type: undefined,
      message: undefined,
      frame: 'app/b.py, line 2, in inner',
      code: 'raise ValueError(1)',
    },
  ],
  [
    "the user's own frame, not the library's that it called",
    `${HEAD}\n  File "/app/train.py", line 12, in train\n    frame["loss"]\n    ~~~~~^^^^^^^^\n  File "/usr/local/lib/python3.11/site-packages/pandas/core/frame.py", line 3761, in __getitem__\n    indexer = self.columns.get_loc(key)\nKeyError: 'loss'`,
    { type: 'KeyError', message: "'loss'", frame: 'app/train.py, line 12, in train', code: 'frame["loss"]' },
  ],
  [
    "the interpreter's own modules are nobody's",
    `${HEAD}\n${OWN}\n  File "/usr/lib/python3.12/json/decoder.py", line 355, in raw_decode\n    raise JSONDecodeError\n  File "<frozen importlib._bootstrap>", line 1, in _find\njson.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)`,
    {
      type: 'JSONDecodeError',
      message: 'Expecting value: line 1 column 1 (char 0)',
      frame: 'app/train.py, line 7, in fit',
    },
  ],
  [
    'only frames of libraries',
    `${HEAD}\n  File "/opt/venv/lib/python3.11/site-packages/zenml/x.py", line 1, in y\n    z()\nOSError: no space left`,
    { type: 'OSError', message: 'no space left', frame: undefined, code: undefined },
  ],
  [
    'on Windows',
    `${HEAD}\n  File "C:\\work\\steps\\train.py", line 3, in go\n    f()\n  File "C:\\Python311\\Lib\\subprocess.py", line 571, in run\n    raise\nsubprocess.CalledProcessError: Command 'x' returned non-zero exit status 1.`,
    { type: 'CalledProcessError', frame: 'steps/train.py, line 3, in go' },
  ],
  [
    'during the handling of another one',
    `${HEAD}\n  File "/app/load.py", line 1, in load\n    open(path)\nFileNotFoundError: no file\n\nDuring handling of the above exception, another exception occurred:\n\n${HEAD}\n${OWN}\nZeroDivisionError: division by zero`,
    {
      type: 'ZeroDivisionError',
      message: 'division by zero',
      frame: 'app/train.py, line 7, in fit',
      code: 'total = 1 / 0',
    },
  ],
  [
    'the direct cause of another one, which a library raised',
    `${HEAD}\n${OWN}\nZeroDivisionError: division by zero\n\nThe above exception was the direct cause of the following exception:\n\n${HEAD}\n  File "/x/site-packages/ray/get.py", line 5, in get\n    raise wrapped\nray.exceptions.RayTaskError: it failed`,
    { type: 'RayTaskError', message: 'it failed', frame: 'app/train.py, line 7, in fit' },
  ],
  [
    'a syntax error, whose place is no call',
    `${HEAD}\n  File "/app/main.py", line 1, in <module>\n    import model\n  File "/app/model.py", line 3\n    x = = 1\n        ^\nSyntaxError: invalid syntax`,
    { type: 'SyntaxError', message: 'invalid syntax', frame: 'app/model.py, line 3', code: 'x = = 1' },
  ],
  [
    'an exception group',
    `  + Exception Group Traceback (most recent call last):\n  |   File "/app/group.py", line 3, in run\n  |     raise ExceptionGroup("both", [ValueError(1), TypeError(2)])\n  | ExceptionGroup: both (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File "/app/one.py", line 1, in one\n    |     raise ValueError(1)\n    | ValueError: 1\n    +---------------- 2 ----------------\n    | TypeError: 2\n    +------------------------------------`,
    {
      type: 'ExceptionGroup',
      message: 'both (2 sub-exceptions)',
      frame: 'app/group.py, line 3, in run',
      code: 'raise ExceptionGroup("both", [ValueError(1), TypeError(2)])',
    },
  ],
  [
    'a message of many lines',
    `${HEAD}\n${OWN}\npydantic_core._pydantic_core.ValidationError: 2 validation errors for Settings\nrate\n  Input should be a valid number [type=float_type, input_value='x', input_type=str]\n    For further information visit https://errors.pydantic.dev/2.8/v/float_type\nname\n  Field required`,
    {
      type: 'ValidationError',
      message: expect.stringMatching(/^2 validation errors for Settings\nrate\n {2}Input[^]*Field required$/),
    },
  ],
  [
    'no message',
    `${HEAD}\n${OWN}\nKeyboardInterrupt`,
    { type: 'KeyboardInterrupt', message: undefined, frame: 'app/train.py, line 7, in fit' },
  ],
  ['an empty message', `${HEAD}\n${OWN}\nAssertionError:`, { type: 'AssertionError', message: undefined }],
  [
    'a class that was made in a function',
    `${HEAD}\n${OWN}\n__main__.make.<locals>.TooSmall: 3`,
    { type: 'TooSmall', message: '3' },
  ],
  [
    'colours of a terminal',
    `\u001B[31m${HEAD}\u001B[0m\n  File \u001B[35m"/app/train.py"\u001B[0m, line \u001B[35m7\u001B[0m, in \u001B[35mfit\u001B[0m\n    total = \u001B[1;31m1 / 0\u001B[0m\n\u001B[1;35mZeroDivisionError\u001B[0m: \u001B[35mdivision by zero\u001B[0m`,
    {
      type: 'ZeroDivisionError',
      message: 'division by zero',
      frame: 'app/train.py, line 7, in fit',
      code: 'total = 1 / 0',
    },
  ],
  [
    'deep recursion',
    `${HEAD}\n${OWN}\n${OWN}\n  [Previous line repeated 975 more times]\nRecursionError: maximum recursion depth exceeded`,
    { type: 'RecursionError', frame: 'app/train.py, line 7, in fit' },
  ],
  [
    'lines of others in between',
    `${HEAD}\n${OWN}\n2026-01-01 12:00:00 flushing the log\nepoch 3\nZeroDivisionError: division by zero`,
    { type: 'ZeroDivisionError', message: 'division by zero' },
  ],
]

test.each(CASES)('%s', (_title, text, wanted) => {
  expect(readTraceback(text)).toMatchObject(wanted)
})

test.each(CASES)('%s, with the line ends of Windows', (_title, text, wanted) => {
  expect(readTraceback(text.replaceAll('\n', '\r\n'))).toMatchObject(wanted)
})

test('a log without a traceback has none', () => {
  expect(readTraceback(['training, 1.0 s left', 'RuntimeError: not raised'])).toBeUndefined()
  expect(readTraceback([])).toBeUndefined()
  expect(readTraceback('')).toBeUndefined()
})

test('a traceback that is spread over records of the log ends with the record of its exception', () => {
  const records = [
    'training',
    HEAD,
    OWN,
    'ValueError: first line\nsecond line',
    'Step finished: all resources are free',
  ]
  expect(readTraceback(records)).toMatchObject({
    type: 'ValueError',
    message: 'first line\nsecond line',
    frame: 'app/train.py, line 7, in fit',
  })
})

test('a traceback that was cut off tells its frames', () => {
  expect(readTraceback(`${HEAD}\n${OWN}`)).toEqual({
    type: undefined,
    message: undefined,
    frame: 'app/train.py, line 7, in fit',
    code: 'total = 1 / 0',
  })
})

test('a long message is cut between two words, and its frame is found all the same', () => {
  const read = readTraceback(`${HEAD}\n${OWN}\nValueError: ${'word '.repeat(100_000)}`)
  expect(read).toMatchObject({ type: 'ValueError', frame: 'app/train.py, line 7, in fit' })
  expect(read?.message).toMatch(/word…$/)
  expect(read?.message?.length).toBeLessThan(4_002)
})

test.each([
  ['a line of ten million characters', 'a'.repeat(10_000_000)],
  ['a million empty lines', '\n'.repeat(1_000_000)],
  ['a million frames', `${HEAD}\n${'  File "x", line 1, in y\n'.repeat(1_000_000)}`],
  ['a million headers', `${HEAD}\n`.repeat(1_000_000)],
  ['half an escape, again and again', '\u001B['.repeat(1_000_000)],
  ['half a link, again and again', '\u001B]8;;'.repeat(1_000_000)],
  ['only bars of a group', '| + '.repeat(1_000_000)],
  ['one frame of quotes', `${HEAD}\n  File "${'" line 1, '.repeat(1_000_000)}`],
  ['one exception of dots', `${HEAD}\n${'a.'.repeat(1_000_000)}`],
])('%s is read to its end', (_title, text) => {
  readTraceback(text)
  readTraceback(text.split('\n').slice(0, 50_000))
  expect(typeof plainLine(text.slice(0, 10_000))).toBe('string')
})

test('of a line that a progress bar wrote over again and again its last state is left', () => {
  expect(plainLine(' 10%|█  |\r 50%|██ |\r100%|███|\u001B[0m\r')).toBe('100%|███|')
})
