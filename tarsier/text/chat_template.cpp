#include "tarsier/text/chat_template.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/text/template_interpreter.h"
#include "tarsier/text/template_json.h"
#include "tarsier/text/template_parser.h"

namespace tarsier {
namespace {

constexpr std::size_t kMaxSourceBytes = 256 << 10;

}  // namespace

struct ChatTemplate::Program {
  std::string name;
  TemplateBudget budget;
  jinja::Syntax syntax;
};

ChatTemplate::ChatTemplate(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

ChatTemplate ChatTemplate::parse(std::string source, std::string name, TemplateBudget budget) {
  if (source.size() > kMaxSourceBytes) {
    throw CheckpointError({name, fmt::format("is a template of {} bytes", source.size()),
                           "templates have at most 256 KiB"});
  }
  jinja::Syntax syntax = jinja::parse_template(source, name, budget.depth);
  return ChatTemplate(
      std::make_unique<const Program>(Program{std::move(name), budget, std::move(syntax)}));
}

std::string ChatTemplate::render(const nlohmann::json& variables) const {
  const jinja::Value top = jinja::from_json(variables, "template variables");
  check(top.is_dict(), "template variables are a JSON object");
  return jinja::Interpreter(program_->syntax, program_->name, program_->budget, top.entries())
      .run();
}

const std::string& ChatTemplate::name() const { return program_->name; }

}  // namespace tarsier
