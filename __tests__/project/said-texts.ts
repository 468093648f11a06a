import { readdirSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { projectFile } from './markdown.ts'

const ROOT = path.join(import.meta.dirname, '../..')

/** A sentence of the code: its fixed pieces in order, with something filled in between each two. */
export interface SaidText {
  readonly file: string
  readonly pieces: readonly string[]
}

/** All texts that stand in the code of these folders, concatenations as one. */
export function saidTexts(...folders: readonly string[]): SaidText[] {
  return sources(folders).flatMap((source) =>
    textsIn(source).map((pieces) => ({ file: source.fileName, pieces })),
  )
}

/** The texts that are given as a property of this name, also through a constant of the same file. */
export function givenTexts(property: string, ...folders: readonly string[]): string[] {
  return sources(folders).flatMap((source) =>
    givenIn(source, property).flatMap((value) => {
      const pieces = piecesOf(ts.isIdentifier(value) ? (constant(source, value.text) ?? value) : value)
      return pieces === undefined ? [] : [pieces.join('…')]
    }),
  )
}

function sources(folders: readonly string[]): ts.SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => {
        const file = path.posix.join(folder, name.replaceAll('\\', '/'))
        return ts.createSourceFile(file, projectFile(file), ts.ScriptTarget.Latest, true)
      }),
  )
}

function givenIn(node: ts.Node, property: string): ts.Expression[] {
  const own = ts.isPropertyAssignment(node) && node.name.getText() === property ? [node.initializer] : []
  return [...own, ...childrenOf(node).flatMap((child) => givenIn(child, property))]
}

function constant({ statements }: ts.SourceFile, name: string): ts.Expression | undefined {
  return statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList: { declarations } }) => declarations)
    .find((declaration) => declaration.name.getText() === name)?.initializer
}

function textsIn(node: ts.Node): string[][] {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return []
  const pieces = piecesOf(node)
  const inner = pieces === undefined ? childrenOf(node) : filledIn(node)
  return [...(pieces === undefined ? [] : [pieces]), ...inner.flatMap(textsIn)]
}

/** The pieces of a text, or of texts joined with +; undefined for anything else. */
function piecesOf(node: ts.Node): string[] | undefined {
  if (ts.isStringLiteralLike(node)) return [node.text]
  if (ts.isTemplateExpression(node)) {
    return [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)]
  }
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return undefined
  const [left, right] = [piecesOf(node.left), piecesOf(node.right)]
  if (left === undefined || right === undefined) return undefined
  return [...left.slice(0, -1), `${left.at(-1) ?? ''}${right[0] ?? ''}`, ...right.slice(1)]
}

/** What is filled into a text; it can hold texts itself. */
function filledIn(node: ts.Node): ts.Node[] {
  if (ts.isTemplateExpression(node)) return node.templateSpans.map(({ expression }) => expression)
  return ts.isBinaryExpression(node) ? [...filledIn(node.left), ...filledIn(node.right)] : []
}

function childrenOf(node: ts.Node): ts.Node[] {
  const children: ts.Node[] = []
  ts.forEachChild(node, (child) => {
    children.push(child)
  })
  return children
}
