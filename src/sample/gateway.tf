resource "terraform_data" "gateway" {
  input = {
    subnet = terraform_data.subnet["public"].output.range
    size   = "small"
  }
}

output "gateway" {
  value = terraform_data.gateway.id
}
