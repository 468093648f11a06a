import { Refusal, json, refusal } from './answers.ts'
import type { Json } from './json.ts'
import type { ZenmlVersion } from './types.ts'

/** One field of a list that can be filtered and sorted by; several values where any of them may match. */
export type Fields<Row> = Readonly<Record<string, (row: Row) => string | readonly string[]>>

export interface Listing<Row> {
  readonly rows: readonly Row[]
  /** Filters that the server knows; any other one is ignored, as the real one does. */
  readonly filters: Fields<Row>
  readonly sorting: Fields<Row>
  readonly model: (row: Row, hydrate: boolean) => Json
  /** For the error text, for instance 'PipelineRunFilter'. */
  readonly filterName: string
  /** Python's name of the route, for the validation error of 0.98. */
  readonly endpoint: { readonly function: string; readonly line: number; readonly path: string }
}

const PAGING = new Set(['page', 'size', 'sort_by', 'hydrate', 'logical_operator'])

/** Filters, sorts and pages as a list route does; oldest first unless asked otherwise. */
export function list<Row>(version: ZenmlVersion, query: URLSearchParams, listing: Listing<Row>): Json {
  const page = positive(version, query, 'page', 1, Infinity, listing.endpoint)
  const size = positive(version, query, 'size', 20, 10_000, listing.endpoint)
  const found = sort(query, listing).filter((row) => matches(version, query, listing.filters, row))
  const pages = Math.max(1, Math.ceil(found.length / size))
  if (page > pages) throw refusal(400, 'ValueError', invalidPage(page, size, found.length, pages))
  const items = found.slice((page - 1) * size, page * size)
  const hydrate = flag(query, 'hydrate', false)
  return {
    index: page,
    max_size: size,
    total_pages: pages,
    total: found.length,
    items: items.map((row) => listing.model(row, hydrate)),
  }
}

/** A boolean of the query as pydantic reads it. */
export function flag(query: URLSearchParams, name: string, otherwise: boolean): boolean {
  const value = query.get(name)?.toLowerCase()
  return value === undefined ? otherwise : ['true', '1', 'yes', 'on', 't', 'y'].includes(value)
}

function sort<Row>(query: URLSearchParams, { rows, sorting, filterName }: Listing<Row>): readonly Row[] {
  const given = query.get('sort_by')
  if (given === null) return rows
  const [first = '', second] = given.split(':')
  const field = sorting[second ?? first]
  if (field === undefined) throw refusal(422, 'ValueError', notSortable(given, filterName))
  const sign = second !== undefined && first === 'desc' ? -1 : 1
  const key = (row: Row) => field(row).toString()
  return [...rows].sort((a, b) => sign * (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}

/** Several values of one filter are "and" from 0.90 on; before, the last one counts. */
function matches<Row>(
  version: ZenmlVersion,
  query: URLSearchParams,
  filters: Fields<Row>,
  row: Row,
): boolean {
  return [...new Set(query.keys())].every((name) => {
    const field = PAGING.has(name) ? undefined : filters[name]
    if (field === undefined) return true
    const actual = [field(row)].flat()
    const values = query.getAll(name)
    const counted = version === '0.98.0' ? values : values.slice(-1)
    return counted.every((value) => actual.some((each) => isWanted(each, value)))
  })
}

const OPERATOR = /^(equals|notequals|startswith|endswith|contains|oneof):(.*)$/s

function isWanted(actual: string, value: string): boolean {
  const [, operator, operand = ''] = OPERATOR.exec(value) ?? [undefined, 'equals', value]
  switch (operator) {
    case 'notequals':
      return actual !== operand
    // LIKE of SQL: case does not count.
    case 'startswith':
      return actual.toLowerCase().startsWith(operand.toLowerCase())
    case 'endswith':
      return actual.toLowerCase().endsWith(operand.toLowerCase())
    case 'contains':
      return actual.toLowerCase().includes(operand.toLowerCase())
    case 'oneof': {
      const values: unknown = JSON.parse(operand)
      return Array.isArray(values) && values.includes(actual)
    }
    default:
      return actual === operand
  }
}

function positive(
  version: ZenmlVersion,
  query: URLSearchParams,
  name: string,
  otherwise: number,
  most: number,
  endpoint: Listing<never>['endpoint'],
): number {
  const given = query.get(name)
  if (given === null) return otherwise
  const value = Number(given)
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  const [type, context, limit, comparison] =
    value > most
      ? ['less_than_equal', 'le', most, 'less than or equal to']
      : ['greater_than_equal', 'ge', 1, 'greater than or equal to']
  const text = `{'type': '${type}', 'loc': ('query', '${name}'), 'msg': 'Input should be ${comparison} ${String(limit)}', 'input': '${given}', 'ctx': {'${context}': ${String(limit)}}`
  throw invalidRequest(version, `${text}${documented(version, type)}}`, endpoint, 'GET')
}

/** 422 of a request that the web framework refuses: a bare array, with more words on 0.98. */
export function invalidRequest(
  version: ZenmlVersion,
  errors: string,
  endpoint: { readonly function: string; readonly line: number; readonly path: string },
  method: string,
): Refusal {
  const file = '/srv/lib/python3.11/site-packages/zenml/zen_server/utils.py'
  const place = `\n\n  File "${file}", line ${String(endpoint.line)}, in ${endpoint.function}\n    ${method} ${endpoint.path}`
  const message = version === '0.98.0' ? `1 validation error:\n  ${errors}${place}` : `[${errors}]`
  return new Refusal(json(['ValueError', message], 422))
}

/** 422 of an id that is no UUID; `location` as Python prints the place of it. */
export function uuidFault(
  version: ZenmlVersion,
  location: string,
  id: string,
  endpoint: Listing<never>['endpoint'],
  method: string,
): Refusal {
  const wrong = uuidFlaw(id)
  const errors = `{'type': 'uuid_parsing', 'loc': ${location}, 'msg': 'Input should be a valid UUID, ${wrong}', 'input': '${id}', 'ctx': {'error': '${wrong}'}${documented(version, 'uuid_parsing')}}`
  return invalidRequest(version, errors, endpoint, method)
}

/** pydantic's words for what is wrong with a UUID. */
function uuidFlaw(id: string): string {
  const at = id.search(/[^0-9a-f-]/i)
  if (at < 0) return `invalid length: expected length 32 for simple format, found ${String(id.length)}`
  const found = id.charAt(at)
  return `invalid character: expected an optional prefix of \`urn:uuid:\` followed by [0-9a-fA-F-], found \`${found}\` at ${String(at + 1)}`
}

/** The link that pydantic puts behind most errors on 0.74. */
export function documented(version: ZenmlVersion, type: string): string {
  return version === '0.74.0' ? `, 'url': 'https://errors.pydantic.dev/2.8/v/${type}'` : ''
}

function invalidPage(page: number, size: number, total: number, pages: number): string {
  return `Invalid page ${String(page)}. The requested page size is ${String(size)} and there are a total of ${String(total)} items for this query. The maximum page value therefore is ${String(pages)}.`
}

function notSortable(given: string, filterName: string): string {
  return `1 validation error for ${filterName}\nsort_by\n  Value error, You can only sort by valid fields of this resource [type=value_error, input_value='${given}', input_type=str]\n    For further information visit https://errors.pydantic.dev/2.12/v/value_error`
}
