#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tarsier/text/template_value.h"

namespace tarsier::jinja {

enum class ExprKind {
  literal,    // value
  name,       // slot
  list,       // children
  dict,       // children: key, value, key, value, ...
  attribute,  // children[0] . text
  subscript,  // children[0] [ children[1] ]
  slice,   // children[0] [ children[1] : children[2] : children[3] ], each possibly a literal none
  call,    // text: range, namespace or raise_exception by name; children[0] is that name, the rest
           // are arguments
  method,  // children[0] . text ( the rest )
  filter,  // children[0] | text ( the rest )
  test,    // children[0] is text ( the rest ); negated by logical_not
  arithmetic,   // children[0] operators[0] children[1] operators[1] ..., one level of precedence,
                // left to right
  concatenate,  // ~ of all children
  compare,      // children[0] operators[0] children[1] ...: a < b < c is a < b and b < c
  negate,
  plus,
  logical_not,
  logical_and,  // of all children
  logical_or,
  choose,  // children: value, condition, otherwise
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  ExprKind kind;
  int line;
  int depth = 1;  // levels of nodes under and with this one
  Value value;
  std::size_t slot = 0;
  std::string text;
  std::vector<std::string> operators;
  std::vector<ExprPtr> children;
  std::vector<std::pair<std::string, ExprPtr>> named;  // keyword arguments
};

enum class NodeKind {
  data,        // text
  output,      // exprs[0]
  set,         // slots[0] = exprs[0]; with `text`, the attribute of the namespace in that slot
  condition,   // exprs[i] guards bodies[i]; one body more is the else
  loop,        // for slots in exprs[0] (if exprs[1]): bodies[0]; bodies[1] is the else
  generation,  // bodies[0], in a scope of its own
};

struct Node;
using Body = std::vector<Node>;

struct Node {
  NodeKind kind;
  int line;
  std::string text;
  std::vector<std::size_t> slots;
  std::vector<ExprPtr> exprs;
  std::vector<Body> bodies;
};

/// A parsed template. Every name it uses has a slot, numbered from 0.
struct Syntax {
  Body body;
  std::vector<std::string> names;  // by slot
  std::size_t loop_slot = 0;       // of the name `loop`
};

}  // namespace tarsier::jinja
