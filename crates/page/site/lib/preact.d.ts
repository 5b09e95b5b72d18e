// The part of htm/preact's standalone module that the page uses.

export type Child = VNode | string | number | boolean | null | undefined | Child[];

export interface VNode {
  readonly type: unknown;
  readonly props: unknown;
}

export type FunctionComponent<P> = (props: P) => Child;

export class Component<P = object, S = object> {
  constructor(props: P);
  props: P & { children?: Child };
  state: S;
  base?: Element;
  setState(state: Partial<S>): void;
  forceUpdate(): void;
  shouldComponentUpdate?(props: P, state: S): boolean;
  render(props: P, state: S): Child;
}

/** Any: a template's values are checked when they are drawn. */
export function html(strings: TemplateStringsArray, ...values: any[]): VNode;
export function h(type: unknown, props: unknown, ...children: Child[]): VNode;
export function render(node: Child, parent: Element): void;

export interface Ref<T> {
  current: T;
}
export function useState<S>(first: S | (() => S)): [S, (next: S | ((last: S) => S)) => void];
export function useReducer<S, A>(reducer: (state: S, action: A) => S, first: S): [S, (action: A) => void];
export function useEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useLayoutEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useRef<T>(first: T): Ref<T>;
export function useRef<T>(first: T | null): Ref<T | null>;
export function useMemo<T>(make: () => T, inputs: readonly unknown[]): T;
export function useCallback<F extends (...values: any[]) => any>(call: F, inputs: readonly unknown[]): F;
export function createContext<T>(value: T): { Provider: FunctionComponent<{ value: T; children?: Child }> };
export function useContext<T>(context: { Provider: FunctionComponent<{ value: T; children?: Child }> }): T;
